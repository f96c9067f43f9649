/** An engine that shares its topology with others on the same log: it runs the partitions that it owns. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '../bus/log.ts';
import { steadyClock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Engine, EngineOptions } from '../execution/engine.ts';
import { type Ownership, startOwnership } from '../execution/ownership.ts';
import { processSpace } from '../process-space.ts';
import type { Logger } from '../stream/definition.ts';
import { topologyNames } from '../topology/names.ts';

/** What a worker that was started by another process has been told. */
export interface WorkerRole {
  /** `w1`, `w2`, ... */
  readonly name: string;
  /** Name of the `mach run` that started it. */
  readonly run: string;
  /** Workers that this run has. */
  readonly count: number;
  /** It was started again: the others have been there before it. */
  readonly again: boolean;
}

/** A name that no other worker has, on any machine: host, process, and chance, since process ids come again. */
export function uniqueName(prefix = ''): string {
  const host = hostname().replace(/[^A-Za-z0-9_-]/g, '-');
  return `${prefix}${host}-${process.pid}-${randomBytes(3).toString('hex')}`;
}

export interface SharedEngine {
  readonly ownership: Ownership;
  /** Resolves with the error when a partition cannot be opened; never rejects. */
  readonly failed: Promise<unknown>;
}

export interface JoinArguments<E extends Engine> {
  readonly log: Log;
  readonly logger: Logger;
  readonly role: WorkerRole | undefined;
  /** Started without units. */
  startEngine(shared: Required<Pick<EngineOptions, 'onUnitTaken' | 'isContested'>>): Promise<E>;
}

/** Resolves when the partitions of its share are open, or others still hold them. Rejects when one cannot be opened. */
export async function joinWorkers<E extends Engine>(
  args: JoinArguments<E>,
): Promise<SharedEngine & { readonly engine: E }> {
  const { log, logger, role } = args;
  let ownership: Ownership | undefined;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const engine = await args.startEngine({
    onUnitTaken: (partition, error) => ownership?.drop(partition, messageOf(error)),
    isContested: () => ownership?.isContested ?? false,
  });
  const { name: topology } = engine.topology;
  // An engine that has ended has closed its units itself.
  const isOver = () => engine.state === 'stopped';
  ownership = await startOwnership({
    log,
    names: topologyNames(topology),
    topology,
    partitions: engine.plan.partitions,
    worker: uniqueName(role ? `${role.name}-` : ''),
    ...(role ? { run: role.run, expectedWorkers: role.count, hadOthers: role.again } : {}),
    host: hostname(),
    processId: process.pid,
    processSpace: processSpace(),
    clock: steadyClock(),
    logger,
    gain: (partition) => engine.openUnit(partition),
    lose: async (partition, how) => {
      if (!isOver()) await engine.closeUnit(partition, how);
    },
    onFailure: fail,
  });
  const failure = Promise.race([failed, engine.failed]).then((error) => {
    throw error;
  });
  try {
    await Promise.race([ownership.settled, failure]);
  } catch (error) {
    await engine.stop();
    await ownership.leave();
    throw error;
  }
  failure.catch(() => undefined);
  return { engine, ownership, failed };
}
