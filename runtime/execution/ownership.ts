/**
 * Which partitions this worker runs. Workers of a topology know each other by signs of life in the log (`roll-call.ts`), each
 * works out the same shares (`share.ts`) and tries for the leases of its own (`holding.ts`). There is no coordinator.
 *
 * The lease decides who tries. Who may write is decided by the fences of the log alone: two workers that both believe to own a
 * partition do no harm but to their own time.
 */
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { TopologyNames } from '../topology/names.ts';
import { Holding, type HoldingArguments } from './holding.ts';
import { type RollCall, startRollCall, type WorkerTick } from './roll-call.ts';
import { sharePartitions } from './share.ts';

export interface OwnershipOptions extends Pick<HoldingArguments, 'gain' | 'lose' | 'onFailure'> {
  readonly log: Log;
  readonly names: TopologyNames;
  readonly topology: string;
  readonly partitions: number;
  /** Name of this worker, unlike any other's: `[A-Za-z0-9_-]+`. */
  readonly worker: string;
  /** Name of the `mach run` that it belongs to (default: its own name). */
  readonly run?: string;
  readonly host: string;
  readonly processId: number;
  /** Of which system `processId` is (see `process-space.ts`). */
  readonly processSpace?: string | undefined;
  /** Workers that are started together: they share when all are there, or after `limits.workerStartWaitMs`. Default 1. */
  readonly expectedWorkers?: number;
  /** Others are known to have been there, although they may not be heard (a worker that was started again). */
  readonly hadOthers?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WorkerView {
  readonly worker: string;
  readonly run: string;
  readonly host: string;
  readonly processId: number;
  readonly held: readonly number[];
  readonly self: boolean;
}

export interface Ownership {
  readonly worker: string;
  readonly partitions: number;
  /** Partitions whose units are open here. */
  readonly owned: readonly number[];
  /** Partitions that this worker should have, as far as it knows. */
  readonly share: readonly number[];
  /** Those that live, this one included, by name. */
  readonly workers: readonly WorkerView[];
  /** Resolves when each partition of its share is open, or another worker still holds it. */
  readonly settled: Promise<void>;
  /** Whether workers of another `mach run` live, which would take what this one gives up. */
  readonly hasOthers: boolean;
  /** Whether another worker lives or has lived, which may still have a hand on what this one takes. */
  readonly isContested: boolean;
  /** Why a partition of its share does not open here, or null. */
  problemOf(partition: number): string | null;
  /** From now on nothing is taken and nothing is handed over: everything is about to end. Leases are kept. */
  freeze(): void;
  /** The unit of a partition cannot go on here (another owner has written): it is closed and tried again later. */
  drop(partition: number, reason: string): void;
  /** Drains and hands over everything; the others take it at once. */
  leave(): Promise<void>;
}

export async function startOwnership(options: OwnershipOptions): Promise<Ownership> {
  const { log, names, partitions, worker, clock, logger } = options;
  const startedAt = clock.now();
  let sightedAt: number | undefined;
  let surplusSince: number | undefined;
  let leaving: Promise<void> | undefined;
  let frozen = false;
  let contested = options.hadOthers === true;
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  let share: readonly number[] = [];
  let told = '';

  const holdings = Array.from(
    { length: partitions },
    (_, partition) =>
      new Holding({
        log,
        group: options.topology,
        partition,
        worker,
        clock,
        logger,
        gain: options.gain,
        lose: options.lose,
        onFailure: options.onFailure,
        isContested: () => contested,
        onChange: onHoldingChange,
      }),
  );
  const held = () => holdings.filter((one) => one.held).map(({ partition }) => partition);
  const describe = (): WorkerTick => ({
    worker,
    run: options.run ?? worker,
    held: held(),
    host: options.host,
    processId: options.processId,
    ...(options.processSpace !== undefined && { processSpace: options.processSpace }),
  });
  let rollCall: RollCall | undefined;

  let saidHeld = '';
  function onHoldingChange(): void {
    const now = `${held()} ${holdings.filter(({ problem }) => problem !== null).length}`;
    if (now === saidHeld) return;
    saidHeld = now;
    // Whoever waits for what was given up should not wait for the next tick.
    rollCall?.say();
    review();
  }

  /** May be called at any time, any number of times. */
  function review(): void {
    if (leaving || frozen) return;
    const present = rollCall?.present();
    if (!present) {
      // Deaf: what the others do cannot be known, so nothing changes but what leases decide.
      if (sightedAt !== undefined) sightedAt = Number.POSITIVE_INFINITY;
      return;
    }
    contested ||= present.length > 1;
    const now = clock.now();
    if (sightedAt === undefined) sightedAt = 0;
    // After a break of the log we hear ourselves first: the others have a moment to say that they live too.
    if (sightedAt === Number.POSITIVE_INFINITY) sightedAt = now + limits.workerSettleMs;
    if (now < sightedAt) return;
    const isStarting = share.length === 0 && now - startedAt < limits.workerStartWaitMs;
    if (isStarting && present.length < (options.expectedWorkers ?? 1)) return;
    share = sharePartitions(partitions, present).get(worker) ?? [];
    tell(present);
    apply(now);
    const theirs = new Set(present.filter((tick) => tick.worker !== worker).flatMap((tick) => tick.held));
    // One that does not open yet must not keep the worker from saying that it runs.
    const isDone = (holding: Holding) => holding.isOpen || holding.problem !== null || theirs.has(holding.partition);
    if (rollCall?.isCertain && share.every((partition) => isDone(holdings[partition] as Holding))) settle();
  }

  /** Whoever should have its partitions now takes them; the others leave them alone. */
  function onDeath(dead: WorkerTick): void {
    review();
    for (const partition of dead.held) {
      const holding = holdings[partition];
      if (holding?.wanted && !holding.held) holding.evict();
    }
  }

  function apply(now: number): void {
    const mine = new Set(share);
    const surplus = holdings.filter(({ partition, wanted }) => wanted && !mine.has(partition));
    for (const holding of holdings) if (mine.has(holding.partition)) holding.wanted = true;
    if (surplus.length === 0) {
      surplusSince = undefined;
      return;
    }
    surplusSince ??= now;
    for (const holding of surplus) {
      // What we only try for costs nobody anything to stop; what we hold moves only when that is sure to last.
      if (!holding.held || now - surplusSince >= limits.workerSettleMs) holding.wanted = false;
    }
  }

  function tell(present: readonly WorkerTick[]): void {
    const who = [...present].sort((a, b) => (a.worker < b.worker ? -1 : 1));
    const holds = Object.fromEntries(who.map((tick) => [tick.worker, tick.held]));
    const text = JSON.stringify(holds);
    if (text === told) return;
    told = text;
    logger.info({ workers: who.length, holds }, 'workers');
  }

  const calling = await startRollCall({ log, names, clock, logger, describe, onChange: review, onDeath });
  rollCall = calling;

  return {
    worker,
    partitions,
    settled,
    get hasOthers() {
      return (calling.present() ?? []).some(({ run }) => run !== (options.run ?? worker));
    },
    get isContested() {
      return contested;
    },
    problemOf: (partition) => holdings[partition]?.problem ?? null,
    freeze() {
      frozen = true;
    },
    get owned() {
      return holdings.filter((one) => one.isOpen).map(({ partition }) => partition);
    },
    get share() {
      return share;
    },
    get workers() {
      const present = calling.present() ?? [describe()];
      return present
        .map((tick) => ({ ...tick, self: tick.worker === worker }))
        .sort((a, b) => (a.worker < b.worker ? -1 : 1));
    },
    drop(partition, reason) {
      holdings[partition]?.drop(reason);
    },
    leave() {
      leaving ??= (async () => {
        share = [];
        // The others are told first, so that they wait for each lease when it is released.
        await Promise.all([calling.leave(), ...holdings.map((holding) => holding.leave())]);
      })();
      return leaving;
    },
  };
}
