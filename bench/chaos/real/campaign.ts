/** One campaign: senders, faults in their lanes, a quiet phase, the judge. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../runtime/errors.ts';
import { type Random, seededRandom } from '../../../runtime/random.ts';
import { judgeMemory, type MemoryVerdict, readMetrics, sumMetrics } from './evidence.ts';
import type { Effect, Fault } from './faults.ts';
import { judge, problemsOf, queryOf, readTables, type Verdict, windowMs } from './judge.ts';
import { createOracle, type Oracle } from './oracle.ts';
import { type Senders, startSenders } from './senders.ts';
import { type Form, openWorld, type World } from './world.ts';

export interface Injection {
  readonly fault: string;
  /** Ms since the campaign began. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly detail: string;
  readonly failed?: true;
}

export interface CampaignSettings {
  /** Of this one among those of the run. */
  readonly name: string;
  readonly form: Form;
  /** Processes that share the topology, and the partitions that they share. */
  readonly workers: number;
  readonly partitions: number;
  readonly seed: number;
  readonly forMs: number;
  readonly faults: readonly Fault[];
  readonly directory: string;
  readonly print: (line: string) => void;
}

export interface Counts {
  readonly restarts: { readonly engine: number; readonly nats: number; readonly store: number };
  readonly redeliveries: {
    /** HL7 messages sent again by their hospitals, streams of the 115 centres opened again, files dropped again. */
    readonly hl7: number;
    readonly feed: number;
    readonly files: number;
    /** Outputs that the stage made again after a restart and dropped. */
    readonly outputs: number;
    /** Ranges that a sink wrote again after a restart, and inserts that it tried again. */
    readonly batches: number;
    readonly inserts: number;
  };
  /** As ClickHouse counts them (DuplicatedInsertedBlocks). */
  readonly deduplicatedInserts: number;
  readonly checkpoints: number;
}

export interface CampaignResult {
  readonly name: string;
  readonly form: Form;
  readonly injected: readonly Injection[];
  readonly skipped: readonly { readonly fault: string; readonly why: string }[];
  readonly counts: Counts;
  readonly verdict: Verdict;
  readonly accounting: Readonly<Record<string, number>>;
  readonly behind: number;
  readonly quietMs: number;
  readonly memory: MemoryVerdict;
  readonly engineEnds: readonly { readonly how: string; readonly error: string | undefined }[];
  readonly problems: readonly string[];
}

/** What goes on after the judge has spoken, in the same world. */
export type Afterwards = (campaign: RunningCampaign) => Promise<void>;

export interface RunningCampaign {
  readonly world: World;
  readonly oracle: Oracle;
  readonly senders: Senders;
  readonly settings: CampaignSettings;
  readonly problems: string[];
  readonly injected: Injection[];
}

const baselineMs = 1_500;
const shortRunMs = 45_000;
const longRunMs = 600_000;
const quietDeadlineMs = 180_000;
const idle = '30s';
/** A window, the disorder that the sources allow, and a second; and what of it lies before the closing events for certain. */
const closingPauseMs = windowMs + 3_000;
const closedBeforeMs = 3_000;

export async function runCampaign(settings: CampaignSettings, afterwards?: Afterwards): Promise<CampaignResult> {
  const { name, form, directory } = settings;
  const random = seededRandom(settings.seed).fork(`real/${name}`);
  const { workers, partitions } = settings;
  const world = await openWorld({ directory, form, idle, workers, partitions });
  const oracle = createOracle(`${name[0]}${settings.seed}`);
  let senders: Senders | undefined;
  try {
    if (!(await world.untilRunning())) {
      const told = world.workers.map(({ ends, run }) => {
        const last = ends.at(-1);
        if (last) return `${last.code} ${last.error}`;
        return run.observeUrl ? 'one runs' : `one said last: ${JSON.stringify(run.lines.at(-1) ?? run.text)}`;
      });
      throw new Error(`an engine does not start: ${told.join('; ')}`);
    }
    const targets = { hl7Port: world.hl7.port, feedPort: world.feed.port, inbox: world.inbox };
    senders = await startSenders({ oracle, random: random.fork('senders'), targets });
    await sleep(baselineMs);
    const { injected, skipped } = await injectAll(settings, world, random.fork('faults'));
    const problems: string[] = [];
    for (const { fault, detail, failed } of injected) if (failed) problems.push(`${fault}: ${detail}`);
    const settled = await quiet({ world, oracle, senders, problems, settings, injected });
    problems.push(...senders.violations);
    const memory = judgeMemory(world.evidence.memory, world.strained);
    if (!memory.flat) problems.push(`memory grew from ${memory.earlyMib} to ${memory.lateMib} MiB (${memory.rule})`);
    const counts = countsOf(world, senders);
    problems.push(...unproven(settings.faults, counts));
    await afterwards?.({ world, oracle, senders, settings, problems, injected });
    return {
      name,
      form,
      injected,
      skipped,
      counts,
      ...settled,
      memory,
      engineEnds: endsOf(world).map(({ code, signal, error }) => ({ how: String(signal ?? code), error })),
      problems,
    };
  } finally {
    await senders?.close();
    await world.close();
  }
}

/** Those that must be alone, then both lanes at once: each fault once, in an order of the seed; then more until the time is over. */
async function injectAll(settings: CampaignSettings, world: World, random: Random) {
  const startedAt = Date.now();
  const until = startedAt + settings.forMs;
  const injected: Injection[] = [];
  const skipped: { fault: string; why: string }[] = [];
  const share = Math.min(1, Math.max(0, (settings.forMs - shortRunMs) / (longRunMs - shortRunMs)));
  const span = (shortMs: number, longMs: number) => Math.round(shortMs + share * (longMs - shortMs));
  const usable = settings.faults.filter((fault) => {
    const why = fault.unavailable?.(world) ?? null;
    if (why !== null) skipped.push({ fault: fault.name, why });
    return why === null;
  });

  async function injectOne(fault: Fault, draws: Random): Promise<void> {
    const atMs = Date.now() - startedAt;
    const done = (detail: string, failed = false) => {
      const injection = { fault: fault.name, atMs, tookMs: Date.now() - startedAt - atMs, detail };
      injected.push(failed ? { ...injection, failed: true } : injection);
      settings.print(`${(atMs / 1_000).toFixed(1).padStart(6)} s  ${fault.name}: ${detail}`);
    };
    try {
      done(await fault.inject({ world, random: draws, span }));
    } catch (error) {
      done(messageOf(error), true);
    }
  }

  async function runLane(name: string, mode: 'each once' | 'until the time is over'): Promise<void> {
    const own = usable.filter(({ lane }) => lane === name);
    const draws = random.fork(`${name}, ${mode}`);
    const round = draws.shuffle(own);
    while (mode === 'each once' ? round.length > 0 : own.length > 0 && Date.now() < until) {
      await injectOne(round.shift() ?? draws.pick(own), draws);
      await sleep(draws.int(200, 800));
    }
  }

  await runLane('alone', 'each once');
  for (const mode of ['each once', 'until the time is over'] as const) {
    await Promise.all([runLane('engine', mode), runLane('around', mode)]);
  }
  if (usable.length === 0) await sleep(settings.forMs);
  return { injected, skipped };
}

/** Waits until everything is as it must be, or the deadline is over; what is wrong then goes to the problems. */
export async function quiet(campaign: RunningCampaign) {
  const { world, oracle, senders, problems } = campaign;
  const startedAt = Date.now();
  const until = startedAt + quietDeadlineMs;
  senders.pause();
  await world.untilRunning();
  while (!senders.settled && Date.now() < until) await sleep(100);
  // No watermark runs ahead of the clock: what closes the last windows must come some time after them.
  await sleep(closingPauseMs);
  const closedUntil = senders.closeWindows() - closedBeforeMs;
  while (!senders.settled && Date.now() < until) await sleep(100);
  if (!senders.settled) problems.push(`${oracle.count('waiting')} messages have no answer after ${quietDeadlineMs} ms`);
  let state: Awaited<ReturnType<typeof look>> | undefined;
  let wrong: string[] = ['the judge could not look'];
  while (wrong.length > 0 && Date.now() < until) {
    try {
      state = await look(world, oracle, closedUntil);
      wrong = [...problemsOf(state.verdict), ...state.problems];
    } catch (error) {
      wrong = [`the judge could not look: ${messageOf(error)}`];
    }
    if (wrong.length > 0) await sleep(400);
  }
  // What would double later, doubles now.
  await sleep(1_000);
  if (wrong.length === 0) {
    state = await look(world, oracle, closedUntil);
    wrong = [...problemsOf(state.verdict), ...state.problems];
  }
  problems.push(...wrong);
  if (problems.length > 0) for (const line of describeTrouble(campaign)) campaign.settings.print(line);
  if (!state) throw new Error([...problems, ...wrong].join('; '));
  return {
    verdict: state.verdict,
    accounting: state.accounting,
    behind: state.behind,
    quietMs: Date.now() - startedAt,
  };
}

const linesShown = 25;

const endsOf = ({ workers }: World) => workers.flatMap(({ ends }) => ends);

/** For whoever looks for the cause: who waits, how engines ended, what the last one said. */
function describeTrouble({ world, oracle, problems }: RunningCampaign): string[] {
  const waiting = [...oracle.sent.values()].filter(({ state }) => state === 'waiting').map(({ id }) => id);
  return [
    ...problems.map((problem) => `problem: ${problem}`),
    `waiting: ${waiting.slice(0, 10).join(', ')}`,
    ...endsOf(world).map((end) => `engine ended: ${JSON.stringify(end)}`),
    ...world.runs.flatMap(({ processId, lines }) =>
      lines
        .filter(({ level = 0 }) => level >= 40)
        .slice(-linesShown)
        .map((line) => `engine ${processId}: ${JSON.stringify(line).slice(0, 400)}`),
    ),
  ];
}

const outcomes = ['delivered', 'filtered', 'late', 'dropped', 'dead_lettered'];

async function look(world: World, oracle: Oracle, closedUntil: number) {
  const url = world.storeUrl();
  const observed = world.workers.map(({ run }) => run.observeUrl);
  if (!url || observed.includes(undefined)) throw new Error('an engine is not there');
  const verdict = judge(await readTables(queryOf(url)), oracle.sent, closedUntil);
  const metrics = sumMetrics(await Promise.all(observed.map((observeUrl) => readMetrics(observeUrl as string))));
  const accounting: Record<string, number> = {};
  for (const outcome of ['in', ...outcomes])
    accounting[outcome] = metrics.get(`mach_accounting_events_total{${outcome}}`) ?? 0;
  const sum = outcomes.reduce((total, outcome) => total + (accounting[outcome] ?? 0), 0);
  const behind = metrics.get('mach_stage_behind_messages') ?? Number.NaN;
  const waiting = metrics.get('mach_node_queue_events') ?? Number.NaN;
  const problems: string[] = [];
  if (sum !== accounting.in)
    problems.push(`accounting: ${accounting.in} came in and ${sum} went out: ${JSON.stringify(accounting)}`);
  if ((accounting.in ?? 0) < verdict.found)
    problems.push(`accounting: ${accounting.in} came in, but ${verdict.found} are there`);
  if (behind !== 0 || waiting !== 0) problems.push(`lag: ${behind} messages and ${waiting} events wait`);
  return { verdict, accounting, behind, problems };
}

export function countsOf(world: World, senders: Senders): Counts {
  const { evidence, around } = world;
  return {
    restarts: { engine: endsOf(world).length, nats: around?.log.restarts ?? 0, store: around?.store.restarts ?? 0 },
    redeliveries: {
      hl7: senders.counts.hl7Resent,
      feed: senders.counts.feedReconnects,
      files: senders.counts.filesRepeated,
      outputs: evidence.total('mach_stage_repeated_outputs_total'),
      batches: evidence.total('mach_sink_repeated_batches_total'),
      inserts: evidence.total('mach_sink_retried_batches_total'),
    },
    deduplicatedInserts: evidence.deduplicatedInserts,
    checkpoints: evidence.total('mach_stage_checkpoints_total'),
  };
}

/** Faults of which nothing was felt have proven nothing. */
function unproven(faults: readonly Fault[], counts: Counts): string[] {
  const { restarts, redeliveries, deduplicatedInserts } = counts;
  const seen: Record<Effect, number> = {
    restart: restarts.engine + restarts.nats + restarts.store,
    redelivery: redeliveries.outputs + redeliveries.batches + redeliveries.hl7,
    'deduplicated insert': deduplicatedInserts,
  };
  const wanted = new Set(faults.flatMap(({ causes }) => causes));
  return [...wanted]
    .filter((effect) => seen[effect] === 0)
    .map((effect) => `no ${effect} happened: the run proves nothing`);
}
