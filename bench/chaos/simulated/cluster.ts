/** The processes of a simulation, and who sees to it that one runs: at a death, and when the owner has let its lease run out. */
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';
import type { SimulatedProcess } from './process.ts';
import { leaseMs } from './schedule.ts';

const lookEveryMs = 500;
const restartMsMax = 3_000;
/** A process that does not even start is tried less and less often, as supervisors do. */
const restartDelayMsMax = 60_000;
/** More than this, and the engine does not get on. */
const livesMax = 400;

export interface Cluster {
  readonly processes: readonly SimulatedProcess[];
  /** Those that are neither dead nor paused. */
  running(): readonly SimulatedProcess[];
  /** The newest that is neither dead nor paused; one that has partitions, if there is one. */
  owner(): SimulatedProcess | undefined;
  /** A process more, beside those that run. */
  add(): SimulatedProcess;
  /** Started because one had died, or had not renewed its lease. */
  readonly restarts: number;
  readonly takeovers: number;
  stop(): void;
}

export function startCluster(args: {
  clock: Clock;
  random: Random;
  spawn(index: number): SimulatedProcess;
  /** So many share the partitions by leases of their own; undefined: one has them all, and is replaced when it stands still. */
  workers: number | undefined;
}): Cluster {
  const { clock, random } = args;
  const processes: SimulatedProcess[] = [];
  let restarts = 0;
  let takeovers = 0;
  let failedStarts = 0;
  let startAt = clock.now();
  let stopped = false;

  const running = () => processes.filter(({ dead, paused }) => !dead && !paused);
  const holdsLease = (process: SimulatedProcess) =>
    !process.dead && (!process.paused || clock.now() - process.pausedAt < leaseMs);

  function add(): SimulatedProcess {
    if (processes.length >= livesMax) throw new Error(`the engine does not get on: ${livesMax} processes were started`);
    const process = args.spawn(processes.length);
    processes.push(process);
    void process.died.then(() => {
      failedStarts = process.engine ? 0 : failedStarts + 1;
      const delayMs = random.int(200, restartMsMax) * 2 ** Math.min(failedStarts, 10);
      startAt = Math.max(startAt, clock.now() + Math.min(delayMs, restartDelayMsMax));
    });
    return process;
  }

  function look(): void {
    if (stopped) return;
    const isWanted =
      args.workers === undefined
        ? !processes.some(holdsLease)
        : processes.filter(({ dead }) => !dead).length < args.workers;
    if (isWanted && clock.now() >= startAt) {
      const isTakeover = args.workers === undefined && processes.some(({ dead }) => !dead);
      if (isTakeover) takeovers++;
      else if (processes.some(({ dead }) => dead)) restarts++;
      add();
    }
    clock.after(lookEveryMs, look);
  }
  look();

  return {
    processes,
    running,
    owner: () => running().findLast(({ engine }) => (engine?.units.size ?? 0) > 0) ?? running().at(-1),
    add,
    get restarts() {
      return restarts;
    },
    get takeovers() {
      return takeovers;
    },
    stop() {
      stopped = true;
    },
  };
}
