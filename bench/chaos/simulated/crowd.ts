/** The senders of a simulation, and what they meet: a process that takes connections, answers that get lost. */
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';
import type { Cluster } from './cluster.ts';
import { type Sender, startSender } from './senders.ts';
import type { SourceName } from './workloads.ts';

const crowd: readonly { readonly source: SourceName; readonly origin: string; readonly requests: number }[] = [
  { source: 'beds', origin: 'H1', requests: 12 },
  { source: 'beds', origin: 'H2', requests: 12 },
  { source: 'calls', origin: 'centre', requests: 12 },
  { source: 'calls', origin: 'post', requests: 6 },
];

export function startCrowd(args: { clock: Clock; random: Random; cluster: Cluster; losesAnswer(): boolean }): Sender[] {
  const { clock, cluster, losesAnswer } = args;
  let serials = 0;
  return crowd.map(({ source, origin, requests }) =>
    startSender({
      source,
      origin,
      count: requests,
      random: args.random.fork(`${source} ${origin}`),
      world: {
        clock,
        connect(draws) {
          const open = cluster.processes.filter((process) => !process.dead && process.source(source) !== undefined);
          return open.length === 0 ? undefined : draws.pick(open);
        },
        losesAnswer,
        serial: () => ++serials,
      },
    }),
  );
}
