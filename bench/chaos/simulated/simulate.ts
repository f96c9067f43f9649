/** One simulation: a seed, its workload and its schedule, from the first sender to the verdict. */
import { memoryStorage } from '../../../runtime/bus/memory/storage.ts';
import { type VirtualClock, virtualClock } from '../../../runtime/clock.ts';
import { messageOf } from '../../../runtime/errors.ts';
import type { Engine } from '../../../runtime/execution/engine.ts';
import { type Random, seededRandom } from '../../../runtime/random.ts';
import { activeFaults } from './active-faults.ts';
import { checkBounds } from './bounds.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { withoutChance } from './determinism.ts';
import { accountingOf, stagesOf, waitingAnswers } from './engine-view.ts';
import { answerTo, judge, type Verdict } from './oracle.ts';
import { perform, type Stage } from './perform.ts';
import { type SimulatedProcess, startProcess, type Tampering } from './process.ts';
import { type Action, type ActionKind, drawSchedule } from './schedule.ts';
import { type Sender, startSender } from './senders.ts';
import { simulatedStore } from './simulated-store.ts';
import { topologyOf, type WorkloadVariant, workloadNames } from './workloads.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Only so many of the schedule's first actions; all when absent. */
  readonly actions?: number;
  readonly partitions?: number;
  readonly tampering?: Tampering;
  /** Instead of the one that the seed draws. */
  readonly schedule?: readonly Action[];
  readonly workload?: WorkloadVariant;
}

export interface SimulationResult extends Verdict {
  readonly seed: number;
  readonly workload: WorkloadVariant;
  readonly schedule: readonly Action[];
  readonly struck: ReadonlyMap<ActionKind, number>;
  /** Processes started after a death. */
  readonly restarts: number;
  /** Processes started because the owner had not renewed its lease. */
  readonly takeovers: number;
  /** Messages handled again by a process that took over, and appends that the log had already. */
  readonly redeliveries: number;
  readonly deduplicated: number;
  readonly fenced: number;
  /** From the last fault to the last row, ms of the simulation. */
  readonly caughtUpMs: number;
}

const begin = 1_700_000_000_000;
const stepMs = 1_000;
const simulationMaxMs = 12 * 3_600_000;
const lookUpMsMax = 2_600;
const lookUpFailureRate = 0.05;
const quietBeforeFlushMs = 60_000;
const settleMs = 180_000;

export function workloadOf(seed: number): WorkloadVariant {
  const random = seededRandom(seed).fork('workload');
  return {
    name: workloadNames[seed % workloadNames.length] as WorkloadVariant['name'],
    idle: random.pick(['20s', '30d']),
    order: random.pick(['kept', 'free']),
  };
}

export const scheduleOf = (seed: number): readonly Action[] => drawSchedule(seededRandom(seed).fork('schedule'));

/** Lets time pass until the work is done. */
async function drive<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  const deadline = clock.now() + simulationMaxMs;
  while (!settled) {
    await clock.advance(stepMs);
    if (clock.now() > deadline)
      throw new Error(`not done after ${simulationMaxMs / 3_600_000} hours of the simulation`);
  }
  return done;
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = seededRandom(options.seed);
  const clock = virtualClock(begin);
  return withoutChance({ clock, random: random.fork('chance') }, () => drive(clock, run(options, clock, random)));
}

async function run(options: SimulationOptions, clock: VirtualClock, random: Random): Promise<SimulationResult> {
  const workload = options.workload ?? workloadOf(options.seed);
  const schedule = (options.schedule ?? scheduleOf(options.seed)).slice(0, options.actions);
  const topology = topologyOf(workload);
  const storage = memoryStorage();
  const store = simulatedStore(clock, random.fork('store'));
  const faults = activeFaults();
  const struck = new Map<ActionKind, number>();
  const counts = { repeated: 0, fenced: 0, serials: 0, redelivered: 0 };
  const connections = random.fork('answers');
  const checkpointEveryMs = random.fork('checkpoints').pick([300, 1_000, 5_000, 20_000]);
  const answers = random.fork('look-ups');

  const spawn = (index: number): SimulatedProcess =>
    startProcess({
      index,
      base: clock,
      storage,
      faults,
      store: store.store,
      topology,
      partitions: options.partitions ?? 1,
      checkpointEveryMs,
      hooks: { repeated: () => counts.repeated++, fenced: () => counts.fenced++ },
      tampering: options.tampering ?? {},
      async answer(event, signal) {
        const fails = answers.chance(lookUpFailureRate);
        await clock.sleep(answers.int(1, lookUpMsMax), signal);
        if (fails) throw new Error('the register does not know (simulated)');
        return answerTo(event);
      },
    });
  const cluster = startCluster({ clock, random: random.fork('cluster'), spawn });
  const senders = startSenders({
    random: random.fork('senders'),
    clock,
    cluster,
    counts,
    connections,
    stage: () => stage,
  });
  const stage: Stage = {
    clock,
    storage,
    store,
    faults,
    cluster,
    senders,
    answers: { lostRate: 0, random: connections },
    struck,
  };
  await Promise.all([
    ...schedule.map(async (action, index) => {
      await clock.sleep(action.atMs);
      await perform(action, random.fork(`action ${index}`), stage);
    }),
    ...senders.map(({ done }) => done),
  ]);
  // What was surged after a sender's last request.
  await Promise.all(senders.map(({ done }) => done));
  await makeQuiet(stage);
  const quietAt = clock.now();
  await clock.sleep(quietBeforeFlushMs);
  await Promise.all(senders.map((sender) => sender.flush()));
  const process = await settle(clock, cluster);
  const caughtUpMs = clock.now() - quietAt - quietBeforeFlushMs;
  const { engine } = process;
  if (!engine) throw new Error('invariant broken: what has settled has an engine');
  const requests = senders.flatMap((sender) => sender.requests);
  const verdict = judge({
    workload: workload.name,
    topology: topology.name,
    storage,
    store,
    requests,
    accounting: accountingOf(engine),
    partitions: options.partitions ?? 1,
    idleMs: topology.sources[0]?.idleMs ?? 0,
    clockJumped: struck.has('clock-jump'),
  });
  const bounds = checkBounds({ process, cluster, storage, clock, requests });
  cluster.stop();
  for (const one of cluster.processes) one.kill('the simulation is over');
  for (const [fault, count] of faults.counts) struck.set(fault as ActionKind, count);
  for (const [fault, count] of store.counts) struck.set(fault, count);
  return {
    ...verdict,
    problems: [...verdict.problems, ...bounds],
    seed: options.seed,
    workload,
    schedule,
    struck,
    restarts: cluster.restarts,
    takeovers: cluster.takeovers,
    redeliveries: counts.repeated + handledAgain(cluster),
    deduplicated: store.deduplicated,
    fenced: counts.fenced,
    caughtUpMs,
  };
}

/** Messages that more than one process has handled. */
function handledAgain(cluster: Cluster): number {
  const handled = new Map<string, number>();
  const reached = new Map<string, number>();
  for (const { engine } of cluster.processes) {
    for (const { machine, counts } of engine ? stagesOf(engine) : []) {
      const { stage, partition } = machine.part;
      const name = `${stage}/${partition}`;
      handled.set(name, (handled.get(name) ?? 0) + counts.messages);
      reached.set(name, Math.max(reached.get(name) ?? 0, machine.sequence));
    }
  }
  let again = 0;
  for (const [name, count] of handled) again += Math.max(0, count - (reached.get(name) ?? 0));
  return again;
}

function startSenders(args: {
  random: Random;
  clock: VirtualClock;
  cluster: Cluster;
  counts: { serials: number };
  connections: Random;
  stage(): Stage;
}): Sender[] {
  const { random, clock, cluster, counts, stage } = args;
  const world = {
    clock,
    connect(draws: Random) {
      const open = cluster.processes.filter((process) => !process.dead && process.source('beds') !== undefined);
      return open.length === 0 ? undefined : draws.pick(open);
    },
    losesAnswer() {
      const { lostRate, random: draws } = stage().answers;
      if (!draws.chance(lostRate)) return false;
      stage().struck.set('answer-lost', (stage().struck.get('answer-lost') ?? 0) + 1);
      return true;
    },
    serial: () => ++counts.serials,
  };
  const sender = (source: 'beds' | 'calls', origin: string, count: number) =>
    startSender({ source, origin, count, world, random: random.fork(`${source} ${origin}`) });
  return [
    sender('beds', 'H1', 12),
    sender('beds', 'H2', 12),
    sender('calls', 'centre', 12),
    sender('calls', 'post', 6),
  ];
}

async function makeQuiet({ faults, store, cluster }: Stage): Promise<void> {
  faults.stop();
  store.stop();
  for (const process of cluster.processes) {
    process.disarm();
    if (!process.dead) process.resume();
  }
}

/** Resolves with the process that has handled and written everything. */
async function settle(clock: VirtualClock, cluster: Cluster): Promise<SimulatedProcess> {
  for (;;) {
    const process = cluster.owner();
    const engine = process?.engine;
    if (!process || !engine) {
      await clock.sleep(stepMs);
      continue;
    }
    const settled = await Promise.race([
      allDone(clock, engine).then(
        () => true,
        (error) => {
          throw new Error(`does not settle: ${messageOf(error)}`);
        },
      ),
      process.died.then(() => false),
      // Where two processes run, the one that is not the owner may never get there.
      clock.sleep(settleMs).then(() => false),
    ]);
    if (settled && !process.dead) return process;
    if (!process.dead && cluster.running().length > 1) process.kill('does not get on beside another owner');
  }
}

/** Everything in the log is handled and written, also what waits for the answers of look-ups and what came meanwhile. */
async function allDone(clock: VirtualClock, engine: Engine): Promise<void> {
  for (;;) {
    const { lastSequence } = await engine.input.state();
    await engine.settled();
    const isAsking = waitingAnswers(engine, 'asked') > 0;
    if (!isAsking && (await engine.input.state()).lastSequence === lastSequence) return;
    if (isAsking) await clock.sleep(stepMs);
  }
}
