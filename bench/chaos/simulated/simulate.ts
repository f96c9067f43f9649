/** One simulation: a seed, its workload and its schedule, from the first sender to the verdict. */
import { memoryStorage } from '../../../runtime/bus/memory/storage.ts';
import { type VirtualClock, virtualClock } from '../../../runtime/clock.ts';
import { type Random, seededRandom } from '../../../runtime/random.ts';
import { activeFaults } from './active-faults.ts';
import { checkBounds } from './bounds.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startCrowd } from './crowd.ts';
import { withoutChance } from './determinism.ts';
import { accountingOf, stagesOf } from './engine-view.ts';
import { answerTo, judge, type Verdict } from './oracle.ts';
import { perform, type Stage } from './perform.ts';
import { type SimulatedProcess, startProcess, type Tampering } from './process.ts';
import { type Action, type ActionKind, drawSchedule } from './schedule.ts';
import { settle } from './settle.ts';
import { simulatedStore } from './simulated-store.ts';
import { type Form, topologyOf, type WorkloadVariant, workloadNames } from './workloads.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Only so many of the schedule's first actions; all when absent. */
  readonly actions?: number;
  /** Drawn from the seed when absent. */
  readonly partitions?: number;
  readonly form?: Form;
  readonly tampering?: Tampering;
  /** Instead of the one that the seed draws. */
  readonly schedule?: readonly Action[];
  readonly workload?: WorkloadVariant;
}

export interface SimulationResult extends Verdict {
  readonly seed: number;
  readonly workload: WorkloadVariant;
  readonly form: Form;
  readonly schedule: readonly Action[];
  readonly struck: ReadonlyMap<ActionKind, number>;
  /** Processes started after a death. */
  readonly restarts: number;
  /** Processes started because the owner had not renewed its lease; among several, partitions taken by another. */
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
const simulationMaxMs = 3 * 3_600_000;
const lookUpMsMax = 2_600;
const lookUpFailureRate = 0.05;
const quietBeforeFlushMs = 60_000;

export function workloadOf(seed: number): WorkloadVariant {
  const random = seededRandom(seed).fork('workload');
  return {
    name: workloadNames[seed % workloadNames.length] as WorkloadVariant['name'],
    idle: random.pick(['20s', '30d']),
    order: random.pick(['kept', 'free']),
  };
}

export function formOf(seed: number, wanted?: number): Form {
  const random = seededRandom(seed).fork('form');
  const partitions = wanted ?? random.pick([1, 1, 1, 4]);
  return { partitions, workers: partitions === 1 ? undefined : random.pick([undefined, 2, 3]) };
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
  const form = options.form ?? formOf(options.seed, options.partitions);
  const schedule = (options.schedule ?? scheduleOf(options.seed)).slice(0, options.actions);
  const topology = topologyOf(workload);
  const storage = memoryStorage();
  const store = simulatedStore(clock, random.fork('store'));
  const faults = activeFaults();
  const struck = new Map<ActionKind, number>();
  const counts = { repeated: 0, fenced: 0, taken: 0 };
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
      partitions: form.partitions,
      shares: form.workers !== undefined,
      checkpointEveryMs,
      hooks: { repeated: () => counts.repeated++, fenced: () => counts.fenced++, taken: () => counts.taken++ },
      tampering: options.tampering ?? {},
      async answer(event, signal) {
        const fails = answers.chance(lookUpFailureRate);
        await clock.sleep(answers.int(1, lookUpMsMax), signal);
        if (fails) throw new Error('the register does not know (simulated)');
        return answerTo(event);
      },
    });
  const cluster = startCluster({ clock, random: random.fork('cluster'), spawn, workers: form.workers });
  const senders = startCrowd({
    clock,
    random: random.fork('senders'),
    cluster,
    losesAnswer() {
      const { lostRate, random: draws } = stage.answers;
      if (!draws.chance(lostRate)) return false;
      struck.set('answer-lost', (struck.get('answer-lost') ?? 0) + 1);
      return true;
    },
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
    under: new Set(),
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
  await Promise.all(stage.under);
  await makeQuiet(stage);
  const quietAt = clock.now();
  await clock.sleep(quietBeforeFlushMs);
  await Promise.all(senders.map((sender) => sender.flush()));
  const engines = await settle(clock, cluster, form);
  const caughtUpMs = clock.now() - quietAt - quietBeforeFlushMs;
  const requests = senders.flatMap((sender) => sender.requests);
  const verdict = judge({
    workload: workload.name,
    topology: topology.name,
    storage,
    store,
    requests,
    accounting: accountingOf(engines),
    idleMs: topology.sources[0]?.idleMs ?? 0,
    clockJumped: struck.has('clock-jump'),
  });
  const bounds = checkBounds({ engines, cluster, storage, clock, requests });
  cluster.stop();
  for (const one of cluster.processes) one.kill('the simulation is over');
  for (const [fault, count] of faults.counts) struck.set(fault as ActionKind, count);
  for (const [fault, count] of store.counts) struck.set(fault, count);
  return {
    ...verdict,
    problems: [...verdict.problems, ...bounds],
    seed: options.seed,
    workload,
    form,
    schedule,
    struck,
    restarts: cluster.restarts,
    takeovers: cluster.takeovers + (form.workers === undefined ? 0 : Math.max(0, counts.taken - form.partitions)),
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

async function makeQuiet({ faults, store, cluster }: Stage): Promise<void> {
  faults.stop();
  store.stop();
  for (const process of cluster.processes) {
    process.disarm();
    if (!process.dead) process.resume();
  }
}
