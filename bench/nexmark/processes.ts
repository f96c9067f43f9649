/** Processes that run a query one after the other on one log in memory; the first may die in the middle. */
import { memoryLog } from '../../runtime/bus/memory/log.ts';
import { memoryStorage } from '../../runtime/bus/memory/storage.ts';
import { type Clock, steadyClock, systemClock } from '../../runtime/clock.ts';
import type { CrashPoints } from '../../runtime/faults.ts';
import { SimulatedCrash } from '../../runtime/faults.ts';
import type { Logger } from '../../runtime/stream/definition.ts';
import type { BoundTopology } from '../../runtime/topology/index.ts';
import { collectLines, openEngine, type PreparedQuery, passingOf, untilWritten } from './run-query.ts';

/** Messages of the log that the process handles before it takes a checkpoint; it dies when that is stored. */
export interface CrashPlan {
  readonly messages: number;
}

export interface Outcome {
  readonly lines: readonly string[];
  /** Sequence of the input log at which the second process was restored, by partition. */
  readonly restoredAt: readonly number[];
}

/** Runs the query to its end, over a crash if one is planned. */
export async function runProcesses(
  prepared: PreparedQuery,
  { partitions, crash }: { partitions: number; crash?: CrashPlan | undefined },
): Promise<Outcome> {
  const { topology } = prepared;
  const storage = memoryStorage();
  if (crash) await runUntilCrash(topology, { storage, partitions, crash });
  // Who comes after a crash reads what was before; nobody else needs what was encoded, or is read.
  const passing = crash ? {} : { passing: passingOf(topology, { partitions, keepsRows: true }) };
  const log = memoryLog({ clock: systemClock(), storage, ...passing });
  const engine = await openEngine(topology, log, { partitions });
  const restoredAt = [...engine.units.values()].map(({ stages }) => stages[0].restoredAt);
  await untilWritten(engine);
  await engine.stop();
  const lines = await collectLines(prepared, log);
  await log.close();
  return { lines, restoredAt };
}

async function runUntilCrash(
  topology: BoundTopology,
  { storage, partitions, crash }: { storage: ReturnType<typeof memoryStorage>; partitions: number; crash: CrashPlan },
): Promise<void> {
  let dead = false;
  let handled = 0;
  let takeCheckpoint: (() => void) | undefined;
  let resolveDied: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    resolveDied = resolve;
  });
  const log = memoryLog({ clock: mortal(systemClock(), () => dead), storage });
  const crashPoints: CrashPoints = {
    at(name) {
      if (dead) throw new SimulatedCrash(name, handled);
      if (name === 'stage.after-handle' && ++handled >= crash.messages) takeCheckpoint?.();
      if (name !== 'checkpoint.after-put') return;
      dead = true;
      log.crash();
      resolveDied();
      throw new SimulatedCrash(name, handled);
    },
  };
  const starting = openEngine(topology, log, {
    partitions,
    crashPoints,
    clock: mortal(systemClock(), () => dead),
    machineClock: mortal(steadyClock(), () => dead),
    logger: silent,
  });
  void starting.then((engine) => {
    takeCheckpoint = () => {
      takeCheckpoint = undefined;
      for (const unit of engine.units.values()) void unit.checkpoint().catch(() => undefined);
    };
    if (handled >= crash.messages) takeCheckpoint();
  });
  await died;
}

/** It is meant to die: what it says of that is no news. */
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A clock whose timers are gone when its process is dead. */
function mortal(clock: Clock, isDead: () => boolean): Clock {
  return {
    ...clock,
    after: (delayMs, run) =>
      clock.after(delayMs, () => {
        if (!isDead()) run();
      }),
    sleep: (delayMs, signal) => (isDead() ? new Promise(() => undefined) : clock.sleep(delayMs, signal)),
  };
}
