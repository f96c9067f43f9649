/** The log over a cluster of three servers with three copies of everything: any one of them may go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withNatsCluster } from '../../testing/with-nats-cluster.ts';
import type { LogStream } from '../log.ts';
import { watchLease } from '../testing/lease-contract.ts';
import { events } from '../testing/log-contract.ts';
import { connectLog } from './log.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const textOf = ({ payload }: { payload: Uint8Array }): string => new TextDecoder().decode(payload);

/** Lanes append one after the other until they are stopped; every append that was acknowledged is owed. */
function appendUntilStopped(stream: LogStream, lanes: number) {
  const owed: string[] = [];
  let stopped = false;
  let stallMs = 0;
  let acknowledgedAt = performance.now();
  const lane = async (number: number) => {
    for (let index = 0; !stopped; index++) {
      await stream.append(`events.${number}`, text(`${number}/${index}`));
      const now = performance.now();
      stallMs = Math.max(stallMs, now - acknowledgedAt);
      acknowledgedAt = now;
      owed.push(`${number}/${index}`);
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return {
    owed,
    stallMs: () => Math.round(stallMs),
    async stop() {
      stopped = true;
      await done;
    },
  };
}

/** Resolves when so many more have been acknowledged. */
async function moreOwed(owed: readonly string[], count: number): Promise<void> {
  const until = owed.length + count;
  while (owed.length < until) await sleep(10);
}

describe('a cluster of three servers', () => {
  it('loses nothing and doubles nothing while leaders are killed and servers come back', () =>
    withNatsCluster(async (cluster) => {
      const log = await connectLog({ url: cluster.url, replicas: 3 });
      const stream = await log.stream(events);
      const checkpoints = await log.objects('checkpoints');
      await checkpoints.put('state', new Uint8Array(600_000).fill(7));
      const lease = await watchLease(log, 'A');
      await lease.held;

      const read: string[] = [];
      const stop = new AbortController();
      const reading = (async () => {
        for await (const message of stream.read({ fromSequence: 1, signal: stop.signal })) read.push(textOf(message));
      })();
      const load = appendUntilStopped(stream, 8);
      await moreOwed(load.owed, 200);

      // The leader of the stream goes; the two that are left choose another.
      const first = await cluster.leaderOf('events');
      await first.kill();
      await moreOwed(load.owed, 200);
      expect((await checkpoints.get('state'))?.length).toBe(600_000);

      // It comes back and catches up; then the next leader goes. Without its copy there would be one left of three.
      await first.start();
      await cluster.ready(3);
      await moreOwed(load.owed, 200);
      const second = await cluster.leaderOf('events');
      await second.kill();
      await moreOwed(load.owed, 200);
      await second.start();
      await cluster.ready(3);
      await moreOwed(load.owed, 200);

      await load.stop();
      while (read.length < load.owed.length) await sleep(20);
      stop.abort();
      await reading;
      expect(load.stallMs(), 'longest time without an acknowledgement').toBeLessThan(30_000);
      expect([...read].sort()).toEqual([...load.owed].sort());
      for (let lane = 0; lane < 8; lane++) {
        const own = read.filter((value) => value.startsWith(`${lane}/`));
        expect(own).toEqual(own.map((_, index) => `${lane}/${index}`));
      }
      expect((await stream.state()).messages).toBe(load.owed.length);

      // Whatever became of it meanwhile, the only one who wants it has it, and gives it to the next.
      while (!lease.lease.held) await sleep(20);
      const other = await watchLease(log, 'B');
      await lease.lease.release();
      await other.held;
      await other.lease.release();
      await log.close();
    }));
});
