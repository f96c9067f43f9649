/** What a running engine says of itself: the one source of `mach top`, `/status`, `/readyz` and `/metrics`. */
import { wallTime } from '../clock.ts';
import type { Engine } from '../execution/engine.ts';
import type { Ownership, WorkerView } from '../execution/ownership.ts';
import type { RecentValues } from '../execution/recent-values.ts';
import { isShadow } from '../execution/stage-part.ts';
import type { StageRunner } from '../execution/stage-runner.ts';
import type { Unit } from '../execution/unit.ts';
import { type Accounting, mergeAccounting } from '../stream/ledger.ts';
import { emptyCounts } from '../stream/node-runner.ts';
import { mergeNodes } from './merge-status.ts';
import { percentile } from './percentile.ts';

export interface NodeStatus {
  readonly id: string;
  readonly kind: 'source' | 'operator' | 'sink';
  readonly definition: string;
  /** Events (sinks: rows) since the topology began; of a source, since the process began. */
  readonly in: number;
  readonly out: number;
  readonly filtered: number;
  readonly late: number;
  readonly dropped: number;
  readonly dead: number;
  /** Events or messages that wait before the node. */
  readonly queue: number;
  /** Time spent in the node itself since the process began, ms. */
  readonly busyMs: number;
  /** Time that the node was kept from going on by what is behind it, ms: senders of a source, the stage for operators, retries of a sink. */
  readonly backpressuredMs: number;
  /** Event time that the node has reached, ms since the epoch; null before the first event. */
  readonly watermark: number | null;
  readonly idle: boolean;
  /** Engine time less watermark, ms. */
  readonly lagMs: number | null;
  readonly stateKeys: number;
  /** Requests of the senders of a source that were refused, since the process began. */
  readonly refusedRequests: number;
  /** Writes of a sink that were tried again, and batches that it wrote again after a restart, since the process began. */
  readonly retries: number;
  readonly repeatedBatches: number;
  /** From acceptance to written row, ms; of sinks alone. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** Address of a source, origin that holds its watermark; why a sink does not get on. */
  readonly detail: string | null;
}

export interface EngineStatus {
  readonly topology: string;
  readonly state: string;
  readonly at: number;
  readonly engineTime: number;
  readonly uptimeMs: number;
  readonly accounting: Accounting;
  readonly stage: {
    readonly sequence: number;
    readonly lastSequence: number;
    readonly events: number;
    readonly busyMs: number;
    readonly backpressuredMs: number;
    readonly checkpoints: number;
    readonly checkpointBytes: number;
    readonly outputsRepeated: number;
  };
  /** ms since the log was asked what it has not answered yet; 0: it answers. While it does not, what it holds is told as it was known last. */
  readonly logSilentMs: number;
  readonly nodes: readonly NodeStatus[];
  readonly partitions: {
    readonly count: number;
    /** Those that run here. */
    readonly owned: readonly number[];
  };
  /** All that live, as this one sees them; empty where the log is this process's own. */
  readonly workers: readonly WorkerView[];
}

/** One stage of one partition. */
interface Part {
  readonly unit: Unit;
  readonly stage: StageRunner;
  readonly number: number;
}

const nothing = {
  filtered: 0,
  late: 0,
  dropped: 0,
  dead: 0,
  stateKeys: 0,
  refusedRequests: 0,
  retries: 0,
  repeatedBatches: 0,
  idle: false,
  latencyMs: null,
};

export async function engineStatus(engine: Engine, engineTime: number, ownership?: Ownership): Promise<EngineStatus> {
  const { lastSequence: known, silentMs } = await engine.inputEnd.known();
  const units = [...engine.units.values()].sort((one, other) => one.partition - other.partition);
  const parts = units.flatMap((unit): Part[] =>
    unit.stages.map((stage, index) => ({ unit, stage, number: index + 1 })),
  );
  const sum = (of: (stage: StageRunner) => number) => parts.reduce((total, { stage }) => total + of(stage), 0);
  const sequences = parts.map(({ stage }) => stage.machine.sequence);
  const lastSequence = Math.max(known, ...sequences);
  return {
    topology: engine.topology.name,
    state: engine.state,
    at: wallTime(),
    engineTime,
    uptimeMs: wallTime() - engine.startedAt,
    accounting: mergeAccounting(units.map(({ accounting }) => accounting)),
    stage: {
      // A worker that stands by keeps nothing waiting.
      sequence: sequences.length > 0 ? Math.min(...sequences) : lastSequence,
      lastSequence,
      events: sum(({ counts }) => counts.events),
      busyMs: sum(({ counts }) => counts.busyMs),
      backpressuredMs: sum(({ counts }) => counts.backpressuredMs),
      checkpoints: sum(({ counts }) => counts.checkpoints),
      checkpointBytes: sum(({ counts }) => counts.checkpointBytes),
      outputsRepeated: sum(({ publishers }) =>
        [...publishers.values()].reduce((total, { repeated }) => total + repeated, 0),
      ),
    },
    logSilentMs: silentMs,
    nodes: [
      ...sourceNodes(engine, units, engineTime),
      ...engine.topology.operators.flatMap(({ id }) => merged(operatorNodes(engine, parts, id, engineTime))),
      ...engine.topology.sinks.flatMap(({ id }) => merged(sinkNodes(engine, parts, id, engineTime))),
    ],
    partitions: { count: engine.plan.partitions, owned: units.map(({ partition }) => partition) },
    workers: ownership?.workers ?? [],
  };
}

const merged = (nodes: readonly NodeStatus[]): NodeStatus[] => (nodes.length > 0 ? [mergeNodes(nodes)] : []);

function sourceNodes(engine: Engine, units: readonly Unit[], engineTime: number): NodeStatus[] {
  // Every partition reads all of the input and keeps the same watermarks: any of them can tell.
  const stage = units[0]?.stages[0];
  if (!stage) return [];
  const waiting = engine.waitingSources.map(({ node, problem, attempts }) => {
    const { time, idle } = stage.machine.sourceWatermark(node.id);
    return {
      ...nothing,
      ...{ id: node.id, kind: 'source' as const, definition: node.definition.name },
      ...{ in: 0, out: 0, queue: 0, busyMs: 0, backpressuredMs: 0 },
      ...progressOf(time, engineTime),
      idle,
      detail: `does not open (tried ${attempts} times): ${problem}`,
    };
  });
  const open = engine.sources.map(({ id, node, runner, running }) => {
    const { time, idle, holding } = stage.machine.sourceWatermark(id);
    return {
      ...nothing,
      id,
      kind: 'source' as const,
      definition: node.definition.name,
      in: runner.counts.accepted + runner.counts.deadLetters,
      out: runner.counts.accepted,
      dead: runner.counts.deadLetters,
      queue: runner.waitingEvents,
      busyMs: 0,
      backpressuredMs: runner.counts.backpressuredMs,
      refusedRequests: runner.counts.refused,
      ...progressOf(time, engineTime),
      idle,
      detail: sourceDetail({
        problem: running.problem?.() ?? null,
        address: running.address,
        holding,
        futureTimes: runner.counts.futureTimes,
      }),
    };
  });
  return [...open, ...waiting];
}

function sourceDetail(args: {
  problem: string | null;
  address: string;
  holding: string | undefined;
  futureTimes: number;
}): string {
  if (args.problem) return args.problem;
  const parts = [args.address];
  if (args.holding) parts.push(`watermark held by ${args.holding}`);
  if (args.futureTimes > 0) parts.push(`${args.futureTimes} events with times in the future`);
  return parts.join(' · ');
}

function operatorNodes(engine: Engine, parts: readonly Part[], id: string, engineTime: number): NodeStatus[] {
  const definition = engine.topology.operators.find((operator) => operator.id === id)?.definition.name ?? '';
  return parts.flatMap(({ stage, number }) => {
    const runner = engine.plan.nodes.get(id)?.stage === number ? stage.machine.runner(id) : undefined;
    if (!runner) return [];
    return [
      {
        ...nothing,
        id,
        kind: 'operator' as const,
        definition,
        // What every partition does alike counts in the first.
        ...(isShadow(stage.machine.part, id) ? emptyCounts() : runner.counts),
        queue: 0,
        busyMs: runner.busyMs,
        backpressuredMs: stage.counts.backpressuredMs,
        ...progressOf(runner.watermark, engineTime),
        stateKeys: runner.stateKeys,
        detail: operatorDetail(engine, runner),
      },
    ];
  });
}

function operatorDetail({ heapProblem }: Engine, { stateEvicted }: { readonly stateEvicted: number }): string | null {
  const parts = heapProblem ? ['held: the heap is full (MACH3254)'] : [];
  if (stateEvicted > 0) parts.push(`${stateEvicted} keys forgotten (stateKeysMax)`);
  return parts.length > 0 ? parts.join(' · ') : null;
}

function sinkNodes(engine: Engine, parts: readonly Part[], id: string, engineTime: number): NodeStatus[] {
  const definition = engine.topology.sinks.find((sink) => sink.id === id)?.definition.name ?? '';
  return parts.flatMap(({ unit, stage, number }) => {
    if (engine.plan.nodes.get(id)?.stage !== number) return [];
    const sink = unit.sinks.get(id);
    const runner = stage.machine.runner(id);
    if (!sink || !runner) return [];
    return [
      {
        ...nothing,
        id,
        kind: 'sink' as const,
        definition,
        in: runner.counts.in,
        out: sink.counts.rows,
        // Rows that it refused, and those that were too large to come to it.
        dead: sink.counts.dead + runner.counts.dead,
        retries: sink.counts.retries,
        repeatedBatches: sink.counts.repeated,
        queue: stage.publishers.get(id)?.waiting ?? 0,
        busyMs: sink.counts.busyMs - sink.counts.waitedMs,
        backpressuredMs: sink.counts.waitedMs,
        ...progressOf(runner.watermark, engineTime),
        latencyMs: latencyOf(sink.latenciesMs),
        detail: sink.problem,
      },
    ];
  });
}

function progressOf(watermark: number, engineTime: number): { watermark: number | null; lagMs: number | null } {
  if (!Number.isFinite(watermark)) return { watermark: null, lagMs: null };
  return { watermark, lagMs: Math.round(engineTime - watermark) };
}

/** Over the newest thousand rows: a view of now, not of the whole run. */
function latencyOf(latenciesMs: RecentValues): NodeStatus['latencyMs'] {
  const newest = latenciesMs.newest(1_000);
  if (newest.length === 0) return null;
  return { p50: percentile(newest, 0.5), p95: percentile(newest, 0.95), p99: percentile(newest, 0.99) };
}
