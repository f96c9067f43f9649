/** What a key of a node waits for, and who keeps it waiting: from the state of the stages, live or out of a checkpoint. */
import { didYouMean } from '../../did-you-mean.ts';
import { personalKeyFields } from '../../observe/personal.ts';
import type { StateKey } from '../../stream/operator-state.ts';
import { formatDuration } from '../../stream/options.ts';
import type { NodeView, StageView } from '../../stream/state-view.ts';
import type { BoundEdge, BoundOperatorNode, BoundSourceNode, BoundTopology } from '../../topology/bound.ts';
import { silenceLookMs } from '../silence-watch.ts';
import { Curtain } from './curtain.ts';
import { whyErrors } from './errors.ts';
import { whyLimits } from './limits.ts';
import { isoTime } from './shown.ts';
import { checkKey, readKey } from './written-key.ts';

export interface OpenReport {
  readonly topology: string;
  readonly node: string;
  readonly key: string;
  /** Whether the node keeps anything for the key. */
  readonly known: boolean;
  readonly as_of: { readonly kind: 'engine' | 'checkpoint'; readonly at: string | null; readonly name: string | null };
  readonly watermark: string | null;
  readonly inputs: readonly OpenInput[];
  readonly state: readonly OpenState[];
  readonly timers: readonly OpenWait[];
  /** The next results of its windows, which need no timer. */
  readonly windows: readonly OpenWait[];
  /** The origin that the node's time waits for, or that is furthest behind where all are silent; null where the way leads to no source. */
  readonly holding: OpenHolding | null;
  readonly note: string | null;
}

export interface OpenState {
  readonly state: string;
  readonly value: unknown;
  /** Event time of its last change; null where that is not kept. */
  readonly changed: string | null;
  /** Event time at which the key came; null where `changed` is known. */
  readonly since: string | null;
}

export interface OpenWait {
  readonly name: string;
  readonly due: string | null;
  /** From the node's time, ms. */
  readonly missing_ms: number | null;
}

export interface OpenInput {
  readonly input: string;
  readonly from: string;
  readonly watermark: string | null;
  readonly idle: boolean;
  readonly holds: boolean;
}

export interface OpenHolding {
  /** From the node's input to the source. */
  readonly path: readonly string[];
  readonly source: string;
  readonly origin: string | null;
  readonly watermark: string | null;
  /** It is silent, as all others of the source are: nobody is waited for, and time goes on with the clock. */
  readonly idle: boolean;
  /** Its last message, as far as it was found. */
  readonly last: OriginWord | null;
  /** Since its last message, ms of engine time; null where that is not known. */
  readonly silent_ms: number | null;
  /** A silent origin holds nobody any longer after this time. */
  readonly idle_ms: number;
  /** When that is; null where its last message is not known, or nothing runs. */
  readonly released_at: string | null;
}

/** The last thing that an origin was heard to say. */
export interface OriginWord {
  readonly sequence: number;
  /** Engine time, ms. */
  readonly heardAt: number;
}

export interface OpenQuestion {
  readonly topology: BoundTopology;
  readonly node: string;
  readonly key: string;
  /** Who asks, and why, is written down: needed where the key points at a person. */
  readonly isRecorded?: boolean;
  /** Of every stage and partition at hand. */
  readonly stages: readonly StageView[];
  readonly asOf: OpenReport['as_of'];
  /** Engine time; undefined where no engine runs. */
  readonly now: number | undefined;
  lastWord(source: BoundSourceNode, origin: string): Promise<OriginWord | undefined>;
}

/**
 * Rejects with MACH3264 when there is no such operator, with MACH3266 or MACH3267 when its keys have other values, with MACH3268 when they point at a
 * person and nobody has written down who asks.
 */
export async function describeOpenKey(question: OpenQuestion): Promise<OpenReport> {
  const { topology, stages, asOf } = question;
  const node = findOperator(topology, question.node);
  const personal = personalKeyFields(node);
  if (personal.length > 0 && !question.isRecorded)
    throw whyErrors.make('MACH3268', { node: node.id, fields: personal.join(', ') });
  const { candidates, values } = readKey(node, question.key);
  const inNode = stages.flatMap((stage) => {
    const runner = stage.node(node.id);
    return runner ? [{ stage, runner, key: candidates.find((key) => keeps(runner, key)) }] : [];
  });
  const keeping = inNode.find(({ key }) => key !== undefined);
  // A text that the node keeps is a key of it, however many commas it has.
  if (!keeping) checkKey(node, question.key);
  const chosen = keeping ?? inNode[0];
  const curtain = new Curtain(topology, { reveal: false });
  // What was asked for by name is known to who asks.
  for (const text of [question.key, ...values])
    curtain.learn({ key: text }, { fields: { key: { type: { kind: 'string' } } } });
  const common = { topology: topology.name, node: node.id, key: question.key, as_of: asOf };
  if (!chosen) {
    const note = 'the node has not run yet';
    return {
      ...common,
      known: false,
      watermark: null,
      inputs: [],
      state: [],
      timers: [],
      windows: [],
      holding: null,
      note,
    };
  }
  const { stage, runner, key } = chosen;
  const inputs = inputsOf(node, runner);
  const { watermark } = runner;
  const waitFor = ({ name, time }: { name: string; time: number }): OpenWait => ({
    name,
    due: isoTime(time),
    missing_ms: Number.isFinite(watermark) ? Math.max(0, time - watermark) : null,
  });
  const timers = key === undefined ? [] : runner.timers(key, whyLimits.timersListed).map(waitFor);
  const entries = (key === undefined ? [] : runner.entries(key)).map((entry) => ({
    ...entry,
    glance: node.bound.glance?.({ ...entry, watermark }) ?? { changed: entry.time, waits: [] },
  }));
  const windows = entries.flatMap(({ glance }) => glance.waits).slice(0, whyLimits.timersListed);
  // Before anything is waited for: these are the values that the stage goes on with.
  const state = entries.map(
    ({ state: name, value, glance }): OpenState => ({
      state: name,
      value: curtain.state(value),
      changed: isoTime(glance.changed),
      since: isoTime(glance.since),
    }),
  );
  const holding = await holdingOf(question, node, [stage, ...stages]);
  const known = key !== undefined;
  const note = known ? silenceNote(holding, question.now) : nothingKept(node);
  const waits = { timers, windows: windows.map(waitFor) };
  return { ...common, known, watermark: isoTime(watermark), inputs, state, ...waits, holding, note };
}

function nothingKept({ bound }: BoundOperatorNode): string {
  if (!bound.stateful) return 'the node keeps nothing for any key: what comes in goes on at once';
  const why = bound.glance ? 'no window of it is open' : 'none of its events has come, or nothing is left to wait for';
  return `the node keeps nothing for this key: ${why}`;
}

function silenceNote(holding: OpenHolding | null, now: number | undefined): string | null {
  if (!holding?.idle) return null;
  if (holding.origin === null) return 'nobody holds it: time goes on once somebody is heard';
  return `nobody holds it: time goes on with the clock${now === undefined ? ' once an engine runs' : ''}`;
}

function findOperator(topology: BoundTopology, id: string): BoundOperatorNode {
  const found = topology.operators.find((node) => node.id === id);
  if (found) return found;
  const near = didYouMean(
    id,
    topology.operators.map((node) => node.id),
  );
  throw whyErrors.make('MACH3264', {
    node: id,
    topology: topology.name,
    suggestion: near ? `; did you mean ${near}?` : ' that keeps a state',
  });
}

function keeps(runner: NodeView, key: StateKey): boolean {
  return runner.entries(key).length > 0 || runner.timers(key, 1).length > 0;
}

function inputsOf(node: BoundOperatorNode, runner: NodeView): OpenInput[] {
  const holding = slowestInput(runner);
  return runner.inputs.flatMap(([input, progress]) => {
    const edge = node.inputs.find((one) => one.input === input);
    if (!edge) return [];
    const { from } = edge;
    return [
      {
        input,
        from: from.port === 'out' ? from.node : `${from.node}:${from.port}`,
        watermark: isoTime(progress.time),
        idle: progress.idle,
        holds: input === holding && !progress.idle,
      },
    ];
  });
}

/** The input that the node's time waits for: the slowest that is not idle; of idle ones the slowest that has a time, as `combineEdges` has it. */
function slowestInput(runner: NodeView): string | undefined {
  const open = runner.inputs.filter(([, { ended }]) => !ended);
  const active = open.filter(([, { idle }]) => !idle);
  const timed = open.filter(([, { time }]) => Number.isFinite(time));
  const counted = [active, timed, open].find((some) => some.length > 0) ?? [];
  const [slowest] = [...counted].sort(([, a], [, b]) => a.time - b.time);
  return slowest?.[0];
}

/** From the node up to the source whose origin is furthest behind. */
async function holdingOf(
  question: OpenQuestion,
  node: BoundOperatorNode,
  stages: readonly StageView[],
): Promise<OpenHolding | null> {
  const { topology } = question;
  const path: string[] = [];
  for (let at: BoundOperatorNode | undefined = node; at; ) {
    const id: string = at.id;
    const runner = stages.map((stage) => stage.node(id)).find((one) => one !== undefined);
    // A function keeps no account of its only input.
    const input = runner && runner.inputs.length > 0 ? slowestInput(runner) : at.inputs[0]?.input;
    const edge: BoundEdge | undefined = at.inputs.find((one) => one.input === input);
    if (!edge) return null;
    path.push(edge.from.node);
    const above: string = edge.from.node;
    const source = topology.sources.find((one) => one.id === above);
    if (source) return holdingSource(question, source, { path, stages });
    at = topology.operators.find((one) => one.id === above);
  }
  return null;
}

async function holdingSource(
  { now, lastWord }: OpenQuestion,
  node: BoundSourceNode,
  { path, stages }: { path: readonly string[]; stages: readonly StageView[] },
): Promise<OpenHolding | null> {
  const { id, idleMs } = node;
  const source = stages.map((stage) => stage.source(id)).find((one) => one !== undefined);
  const slowest = source?.slowest();
  if (!slowest) {
    const nobody = { origin: null, watermark: null, last: null, silent_ms: null, released_at: null };
    return { path, source: id, idle: source?.idle ?? false, idle_ms: idleMs, ...nobody };
  }
  const { origin, watermark, idle } = slowest;
  const last = (await lastWord(node, origin)) ?? null;
  return {
    path,
    source: id,
    origin,
    watermark: isoTime(watermark),
    idle,
    last,
    silent_ms: last && now !== undefined ? Math.max(0, now - last.heardAt) : null,
    idle_ms: idleMs,
    released_at: last && now !== undefined && !idle ? isoTime(last.heardAt + idleMs) : null,
  };
}

/** For people. */
export function describeOpenReport(report: OpenReport): string[] {
  const { node, key, holding } = report;
  const as = report.as_of.kind === 'engine' ? 'the running engine' : `the checkpoint ${report.as_of.name}`;
  const lines = [`${node} [${key}]   as of ${report.as_of.at ?? 'an unknown time'}, from ${as}`];
  lines.push(`  its time stands at ${report.watermark ?? 'no time yet'}`);
  for (const { input, from, watermark, idle, holds } of report.inputs) {
    const how = holds ? '  <- holds it' : idle ? '  (silent, holds nobody)' : '';
    lines.push(`    input ${input} (${from}): ${watermark ?? 'no time yet'}${how}`);
  }
  for (const { state, value, changed, since } of report.state) {
    const when = since === null ? `changed last at ${changed ?? 'an unknown time'}` : `there since ${since}`;
    lines.push(`  state ${state}, ${when}: ${JSON.stringify(value)}`);
  }
  for (const timer of report.timers) lines.push(describeWait(`timer "${timer.name}"`, timer));
  for (const window of report.windows) lines.push(describeWait(`its next ${window.name}`, window));
  if (holding) lines.push(...describeHolding(holding));
  if (report.note !== null) lines.push(`  ${report.note}`);
  return lines;
}

function describeWait(what: string, { due, missing_ms: missing }: OpenWait): string {
  const wait = missing === null ? '' : `, ${formatDuration(Math.ceil(missing))} from where its time stands`;
  return `  ${what} waits for ${due ?? 'the end'}${wait}`;
}

function describeHolding(holding: OpenHolding): string[] {
  const { path, source, origin, watermark, last, silent_ms: silent, idle_ms: idle, released_at: released } = holding;
  const way = path.join(' <- ');
  if (origin === null)
    return [
      holding.idle
        ? `  nobody is heard at ${source} (${way})`
        : `  held by ${source} (${way}): nobody has ever been heard there; after ${formatDuration(idle)} it holds nobody`,
    ];
  const time = watermark ?? 'no time yet';
  const lines = [
    holding.idle
      ? `  all of ${source} (${way}) are silent; furthest behind is ${origin}, at ${time}`
      : `  held by ${origin} of ${source} (${way}), whose time stands at ${time}`,
  ];
  if (!last) return [...lines, '    its last message is further back than was looked'];
  const ago = silent === null ? '' : `, ${formatDuration(Math.round(silent / 1_000) * 1_000)} ago`;
  lines.push(`    its last message: ${last.sequence}, heard at ${isoTime(last.heardAt)}${ago}`);
  if (released !== null)
    lines.push(
      `    if it says nothing more it is let go at ${released}, or up to ${formatDuration(silenceLookMs(idle))} later (idle: ${formatDuration(idle)})`,
    );
  else if (silent === null && !holding.idle) lines.push('    no engine runs: nothing moves until one is started');
  return lines;
}
