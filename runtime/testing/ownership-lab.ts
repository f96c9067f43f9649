/** Workers that own partitions of nothing: what they open and close is written down. For tests of ownership. */
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { type Ownership, startOwnership } from '../execution/ownership.ts';
import { topologyNames } from '../topology/names.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export interface LabWorker {
  readonly name: string;
  readonly ownership: Ownership;
  /** Units that are open here now. */
  readonly open: ReadonlySet<number>;
  readonly failures: unknown[];
}

export interface LabDeed {
  readonly at: number;
  readonly worker: string;
  readonly partition: number;
  readonly deed: 'open' | 'drain' | 'cut off';
}

export async function startLabWorker(args: {
  log: Log;
  clock: Clock;
  name: string;
  partitions: number;
  deeds: LabDeed[];
  expectedWorkers?: number;
  hadOthers?: boolean;
  processId?: number;
  processSpace?: string;
  /** How long opening and draining take. */
  openMs?: number;
  drainMs?: number;
  onOpen?(partition: number): void;
}): Promise<LabWorker> {
  const { log, clock, name, partitions, deeds, openMs = 50, drainMs = 100 } = args;
  const open = new Set<number>();
  const failures: unknown[] = [];
  const note = (partition: number, deed: LabDeed['deed']) =>
    void deeds.push({ at: clock.now(), worker: name, partition, deed });
  const ownership = await startOwnership({
    log,
    names: topologyNames('lab'),
    topology: 'lab',
    partitions,
    worker: name,
    host: 'here',
    processId: args.processId ?? 1,
    processSpace: args.processSpace,
    ...(args.expectedWorkers === undefined ? {} : { expectedWorkers: args.expectedWorkers }),
    ...(args.hadOthers === undefined ? {} : { hadOthers: args.hadOthers }),
    clock,
    logger: quiet,
    async gain(partition) {
      await clock.sleep(openMs);
      args.onOpen?.(partition);
      open.add(partition);
      note(partition, 'open');
    },
    async lose(partition, { drain }) {
      if (drain) await clock.sleep(drainMs);
      open.delete(partition);
      note(partition, drain ? 'drain' : 'cut off');
    },
    onFailure: (error) => failures.push(error),
  });
  return { name, ownership, open, failures };
}
