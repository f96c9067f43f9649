/** The log against a real server that is killed, stopped, wiped or cut off. */
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { withNats } from '../../testing/with-nats.ts';
import type { Log, LogStream } from '../log.ts';
import { startNatsServer } from '../server.ts';
import { events, take } from '../testing/log-contract.ts';
import { startTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';
import { type ConnectOptions, connectLog } from './log.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const textOf = ({ payload }: { payload: Uint8Array }): string => new TextDecoder().decode(payload);
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { code?: string }) => error.code ?? error,
  );

async function withLog(options: ConnectOptions, body: (log: Log) => Promise<void>): Promise<void> {
  const log = await connectLog(options);
  try {
    await body(log);
  } finally {
    await log.close();
  }
}

function withProxy(body: (proxy: TcpProxy, url: string) => Promise<void>): Promise<void> {
  return withNats(async ({ url }) => {
    const proxy = await startTcpProxy(Number(new URL(url).port));
    try {
      await body(proxy, url);
    } finally {
      await proxy.close();
    }
  });
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Reads `count` messages into a list that can be watched while it grows. */
function collect(stream: LogStream, count: number): { values: string[]; done: Promise<void> } {
  const values: string[] = [];
  const done = (async () => {
    for await (const message of stream.read({ fromSequence: 1 })) {
      values.push(textOf(message));
      if (values.length === count) return;
    }
  })();
  return { values, done };
}

/** Appends one after the other, each awaited. */
async function appendAll(stream: LogStream, lane: number, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await stream.append(`events.${lane}`, text(`${lane}/${index}`));
}

function expectEachOnceInOrder(values: readonly string[], lanes: number, count: number): void {
  for (let lane = 0; lane < lanes; lane++) {
    const own = values.filter((value) => value.startsWith(`${lane}/`));
    expect(own).toEqual(Array.from({ length: count }, (_, index) => `${lane}/${index}`));
  }
  expect(values).toHaveLength(lanes * count);
}

describe('jetstream under faults', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'survives a server that ends by %s while it appends and reads: nothing lost, nothing doubled',
    (signal) =>
      withNats(
        ({ url, server }) =>
          withLog({ url }, async (log) => {
            const stream = await log.stream(events);
            const [lanes, count] = [20, 100];
            const reading = collect(stream, lanes * count);
            const appending = Promise.all(Array.from({ length: lanes }, (_, lane) => appendAll(stream, lane, count)));
            for (const at of [300, 1200]) {
              await until(() => reading.values.length >= at);
              process.kill(server.processId, signal);
            }
            await appending;
            await reading.done;
            expectEachOnceInOrder(reading.values, lanes, count);
            expect((await stream.state()).lastSequence).toBe(lanes * count);
          }),
        { syncAlways: true },
      ),
  );

  it('keeps the order of appends that are not awaited when the connection breaks', () =>
    withProxy((proxy) =>
      withLog({ url: proxy.url }, async (log) => {
        const stream = await log.stream(events);
        const count = 6000;
        const reading = collect(stream, count);
        const appends = Array.from({ length: count }, (_, index) => stream.append('events.0', text(`0/${index}`)));
        for (const at of [500, 2500]) {
          await until(() => reading.values.length >= at);
          proxy.cut();
        }
        await Promise.all(appends);
        await reading.done;
        expectEachOnceInOrder(reading.values, 1, count);
      }),
    ));

  it('sends again what was stored without an acknowledgement: stored once, told as a duplicate', () =>
    withProxy((proxy) =>
      withLog({ url: proxy.url, appendAttemptMs: 300 }, async (log) => {
        const stream = await log.stream(events);
        await stream.append('events.a', text('1'));
        proxy.swallowAnswers();
        const unheard = stream.append('events.a', text('2'), { expectedLastSubjectSequence: 1 });
        await new Promise((resolve) => setTimeout(resolve, 400));
        proxy.thaw();
        expect(await unheard).toEqual({ sequence: 2, duplicate: true });
        expect(await stream.append('events.a', text('3'))).toEqual({ sequence: 3, duplicate: false });
      }),
    ));

  it('tells its own stored append from a foreign one when the duplicate window has forgotten it', () =>
    withNats(({ url }) =>
      withLog({ url }, async (log) => {
        // A window of 100 ms, the shortest there is, made before the log opens the stream.
        const stream = await log.stream({ ...events, ageMaxMs: 3_600_000 });
        const nats = await connect({ servers: url });
        const manager = await jetstreamManager(nats);
        await manager.streams.update('events', { duplicate_window: 100_000_000 });
        await nats.close();
        const fence = { id: 'mine', expectedLastSubjectSequence: 0 };
        expect(await stream.append('events.a', text('1'), fence)).toEqual({ sequence: 1, duplicate: false });
        await new Promise((resolve) => setTimeout(resolve, 400));
        expect(await stream.append('events.a', text('1'), fence)).toEqual({ sequence: 1, duplicate: true });
        expect(await codeOf(stream.append('events.a', text('1'), { ...fence, id: 'foreign' }))).toBe('MACH3001');
        expect((await stream.state()).messages).toBe(1);
      }),
    ));

  it('gives up with an unknown outcome at its deadline (MACH3002), and goes on when the network is back', () =>
    withProxy((proxy) =>
      withLog({ url: proxy.url, appendAttemptMs: 100, appendDeadlineMs: 500 }, async (log) => {
        const stream = await log.stream(events);
        proxy.freeze();
        const lost = stream.append('events.a', text('1'), { id: 'one' });
        expect(await codeOf(lost)).toBe('MACH3002');
        await expect(lost).rejects.toThrow(/after \d+ attempts in \d+ ms \(limit appendDeadlineMs\)/);
        proxy.thaw();
        await stream.append('events.a', text('1'), { id: 'one' });
        expect((await stream.state()).messages).toBe(1);
      }),
    ));

  it('waits for a server that is stopped, and appends once', () =>
    withNats(({ url, server }) =>
      withLog({ url, appendAttemptMs: 200 }, async (log) => {
        const stream = await log.stream(events);
        const { processId } = server;
        process.kill(processId, 'SIGSTOP');
        const appends = [1, 2, 3].map((value) => stream.append('events.a', text(`${value}`)));
        await new Promise((resolve) => setTimeout(resolve, 900));
        process.kill(processId, 'SIGCONT');
        await Promise.all(appends);
        expect((await take(stream, 3)).map(textOf)).toEqual(['1', '2', '3']);
        expect((await stream.state()).messages).toBe(3);
      }),
    ));

  it('notices a black hole while it reads, and goes on behind it', () =>
    withProxy((proxy, url) =>
      withLog({ url: proxy.url }, (reader) =>
        withLog({ url }, async (writer) => {
          const stream = await writer.stream(events);
          const reading = collect(await reader.stream(events), 2);
          await stream.append('events.a', text('1'));
          await until(() => reading.values.length === 1);
          proxy.swallowAnswers();
          await stream.append('events.a', text('2'));
          await new Promise((resolve) => setTimeout(resolve, 200));
          // What was swallowed is gone for good; only the missing heartbeats can tell.
          proxy.thaw();
          await reading.done;
          expect(reading.values).toEqual(['1', '2']);
        }),
      ),
    ));

  it('goes on when its consumer is deleted', () =>
    withNats(({ url }) =>
      withLog({ url }, async (log) => {
        const stream = await log.stream(events);
        const reading = collect(stream, 2);
        await stream.append('events.a', text('1'));
        await until(() => reading.values.length === 1);
        const nats = await connect({ servers: url });
        const manager = await jetstreamManager(nats);
        for await (const { name } of manager.consumers.list('events')) await manager.consumers.delete('events', name);
        await nats.close();
        await stream.append('events.a', text('2'));
        await reading.done;
        expect(reading.values).toEqual(['1', '2']);
      }),
    ));

  it('holds the log back by the pace of the reader', () =>
    withNats(({ url }) =>
      withLog({ url }, async (log) => {
        const stream = await log.stream(events);
        const count = 2000;
        await Promise.all(Array.from({ length: count }, (_, index) => stream.append('events.0', text(`0/${index}`))));
        const nats = await connect({ servers: url });
        const manager = await jetstreamManager(nats);
        const delivered = async () => {
          for await (const consumer of manager.consumers.list('events')) return consumer.delivered.consumer_seq;
          return 0;
        };
        let taken = 0;
        for await (const { sequence } of stream.read({ fromSequence: 1, readAheadMessages: 32 })) {
          taken++;
          expect(sequence).toBe(taken);
          if (taken === 1 || taken === 500) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            expect(await delivered()).toBeLessThanOrEqual(taken + 32);
          }
          if (taken === count) break;
        }
        await nats.close();
      }),
    ));

  it('does not go on in a stream whose storage was wiped (MACH3006), seen while reading and on a new start', () =>
    withNats(
      async ({ url, server, directory }) => {
        await withLog({ url }, async (log) => {
          const stream = await log.stream(events);
          for (const value of ['1', '2', '3']) await stream.append('events.a', text(value));
          const reading = take(stream, 4);
          reading.catch(() => undefined);
          await server.stop();
          await rm(join(directory, 'storage'), { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
          const again = await startNatsServer({ directory, syncAlways: false, port: Number(new URL(url).port) });
          try {
            expect(await codeOf(reading)).toBe('MACH3006');
            await withLog({ url: again.url }, async (other) => {
              const wiped = await other.stream(events);
              expect(await codeOf(take(wiped, 1, { fromSequence: 4 }))).toBe('MACH3006');
              for (const value of ['1', '2', '3', '4']) await wiped.append('events.a', text(value));
              expect(await codeOf(take(stream, 1, { fromSequence: 4 }))).toBe('MACH3006');
            });
          } finally {
            await again.stop();
          }
        });
      },
      { keepAlive: false },
    ));

  it('does not go on in a stream that was rolled back and written on, though it is long enough (MACH3006)', () =>
    withNats(
      async ({ url, server, directory }) => {
        const [storage, copy] = ['storage', 'copy'].map((name) => join(directory, name)) as [string, string];
        const port = Number(new URL(url).port);
        const append = (values: string[]) =>
          withLog({ url }, async (log) => {
            const stream = await log.stream(events);
            for (const value of values) await stream.append('events.a', text(value));
          });
        await append(['1']);
        await server.stop();
        await cp(storage, copy, { recursive: true });
        const second = await startNatsServer({ directory, syncAlways: false, port, keepAlive: false });
        await withLog({ url }, async (log) => {
          const reading = collect(await log.stream(events), 5);
          reading.done.catch(() => undefined);
          await append(['2', '3']);
          await until(() => reading.values.length === 3);
          // Out of sight of the reader: it must not see the stream while it is short, only when it is long again.
          process.kill(second.processId, 'SIGSTOP');
          await rename(storage, join(directory, 'lost'));
          await rename(copy, storage);
          process.kill(second.processId, 'SIGKILL');
          await second.stop();
          const elsewhere = await startNatsServer({ directory, syncAlways: false });
          await withLog({ url: elsewhere.url }, async (other) => {
            const stream = await other.stream(events);
            for (const value of ['two', 'three', 'four', 'five']) await stream.append('events.a', text(value));
          });
          await elsewhere.stop();
          const third = await startNatsServer({ directory, syncAlways: false, port });
          expect(await codeOf(reading.done)).toBe('MACH3006');
          await expect(reading.done).rejects.toThrow('its message 3 is not the one that was read');
          expect(reading.values).toEqual(['1', '2', '3']);
          await third.stop();
        });
      },
      { keepAlive: false },
    ));

  it('says when messages go while a slow reader is on its way to them (MACH3005)', () =>
    withNats(({ url }) =>
      withLog({ url }, async (log) => {
        const stream = await log.stream(events);
        for (let index = 0; index < 100; index++) await stream.append(`events.${index % 2}`, text(`${index}`));
        const nats = await connect({ servers: url });
        const manager = await jetstreamManager(nats);
        for (const subjects of [undefined, ['events.1']]) {
          const purgeTo = subjects ? 80 : 40;
          const { firstSequence } = await stream.state();
          const reading = (async () => {
            const options = { fromSequence: firstSequence, readAheadMessages: 2, ...(subjects ? { subjects } : {}) };
            let taken = 0;
            for await (const { sequence } of stream.read(options)) {
              if (taken++ === 0) await manager.streams.purge('events', { seq: purgeTo });
              if (sequence > purgeTo) return sequence;
            }
            return 0;
          })();
          expect(await codeOf(reading)).toBe('MACH3005');
        }
        await nats.close();
      }),
    ));

  it('says that nobody answers (MACH3009), and shows no secrets', async () => {
    const url = 'nats://user:geheim@127.0.0.1:1';
    const refused = connectLog({ url, connectTimeoutMs: 500 });
    expect(await codeOf(refused)).toBe('MACH3009');
    await expect(refused).rejects.not.toThrow('geheim');
  });

  it('knows whether a server syncs always: ours by its name, others by their monitoring pages, else not', () =>
    withNats(
      ({ url, server }) =>
        withLog({ url, ...(server.monitorUrl ? { monitorUrl: server.monitorUrl } : {}) }, async (log) => {
          expect((await log.check()).syncAlways).toBe(false);
          await withLog({ url }, async (other) => expect((await other.check()).syncAlways).toBeUndefined());
          await withNats(
            ({ url: synced }) =>
              withLog({ url: synced }, async (other) => expect((await other.check()).syncAlways).toBe(true)),
            { syncAlways: true },
          );
        }),
      { monitorPort: 0 },
    ));
});
