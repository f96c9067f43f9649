import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import type { RunningSource } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { type RecordedLog, recordedLog, testContext, until } from '../testing/source-context.ts';
import { connectFeed, type FeedClientOptions, type HospitalLoad, watchHospitals } from './client.ts';
import { feed115 } from './index.ts';
import { feedLimits } from './limits.ts';
import { openStub } from './stub.ts';
import type { Item, PublishRequest, PublishResponse } from './wire.ts';

const now = Date.UTC(2026, 2, 2, 0, 0, 0);
const token = 'made-up-token-for-tests';

async function withFeed(
  run: (feed: {
    log: RecordedLog;
    address: string;
    restart(): Promise<void>;
    client(options?: Partial<FeedClientOptions>): ReturnType<typeof connectFeed>;
  }) => Promise<void>,
  options: object = {},
): Promise<void> {
  const log = recordedLog();
  const clock = virtualClock(now);
  const bind = (listen: string) => bindSource(feed115, { ...options, listen });
  let running: RunningSource = await bind('127.0.0.1:0').open(testContext(log, { clock }));
  const { address } = running;
  const clients: Awaited<ReturnType<typeof connectFeed>>[] = [];
  try {
    await run({
      log,
      address,
      async restart() {
        await running.close();
        running = await bind(address).open(testContext(log, { clock }));
      },
      async client(more = {}) {
        const client = await connectFeed({ address, centre: '115-thu', reconnectDelayMs: 5, ...more });
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) await client.close();
    await running.close();
  }
}

const unit = (number: number): Item => ({
  unit: { unit_id: `XE-${number}`, reported_ms: now - 1000 + (number % 1000) },
});
const stored = (log: RecordedLog) => log.events.map(({ event }) => event.unit_id);
const expected = (count: number) => Array.from({ length: count }, (_, i) => `XE-${i + 1}`);

/** The raw stream, to say what a client would never say. */
async function rawStream(address: string) {
  const stub = await openStub(address);
  const stream = stub.publish();
  const responses: PublishResponse[] = [];
  let error: string | undefined;
  let ended = false;
  stream.on('data', (response: PublishResponse) => responses.push(response));
  stream.on('error', (reason: Error) => {
    error = reason.message;
  });
  stream.on('end', () => {
    ended = true;
  });
  return {
    write: (request: PublishRequest) => stream.write(request),
    end: () => stream.end(),
    cancel: () => stream.cancel(),
    stream,
    responses,
    error: () => error,
    ended: () => ended,
    close: () => stub.close(),
  };
}

describe('Publish', () => {
  it('stores items in order and acknowledges what is stored', async () => {
    await withFeed(async ({ log, client }) => {
      const feed = await client({ batchItemsMax: 7 });
      for (let i = 1; i <= 100; i++) await feed.send(unit(i));
      await feed.flush();
      expect(stored(log)).toEqual(expected(100));
      expect(feed.acknowledged).toBe(100);
      expect(log.marks.get('115-thu')).toBe('100');
    });
  });

  it('acknowledges nothing before the append has resolved', async () => {
    await withFeed(async ({ log, address }) => {
      let release = () => {};
      log.before = () => new Promise((resolve) => (release = resolve));
      const raw = await rawStream(address);
      raw.write({ centre: 'c' });
      raw.write({ first_position: 1, items: [unit(1)] });
      await until(() => raw.responses.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(raw.responses).toEqual([{ resume: { position: 0, requests_in_flight_max: 32 } }]);
      release();
      await until(() => raw.responses.length === 2);
      expect(raw.responses[1]).toEqual({ acknowledgement: { position: 1, accepted: 1, resent: 0, refused: 0 } });
      raw.end();
      await until(raw.ended);
      raw.close();
    });
  });

  it('resumes after a restart of the engine without loss or duplicates', async () => {
    await withFeed(async ({ log, client, restart }) => {
      const feed = await client({ batchItemsMax: 5 });
      for (let i = 1; i <= 400; i++) {
        await feed.send(unit(i));
        if (i === 100 || i === 250) await restart();
      }
      await feed.flush();
      expect(stored(log)).toEqual(expected(400));
    });
  });

  it('resumes after lost acknowledgements: stored, but the sender never heard', async () => {
    await withFeed(async ({ log, client }) => {
      let failures = 0;
      log.after = (request) => {
        if (failures >= 3 || Number(request.mark) <= failures * 20) return;
        failures++;
        throw new Error('connection to the log lost');
      };
      log.before = () => {
        if (failures === 3 && log.events.length < 70) {
          failures++;
          throw new Error('not stored');
        }
      };
      const breaks: string[] = [];
      const feed = await client({ batchItemsMax: 4, onDisconnect: (error) => breaks.push(error.message) });
      for (let i = 1; i <= 100; i++) await feed.send(unit(i));
      await feed.flush();
      expect(stored(log)).toEqual(expected(100));
      expect(breaks).toHaveLength(4);
      expect(breaks.every((message) => message.includes('MACH2106'))).toBe(true);
    });
  });

  it('counts resent items and stores them once', async () => {
    await withFeed(async ({ log, address }) => {
      const raw = await rawStream(address);
      raw.write({ centre: 'c', first_position: 1, items: [unit(1), unit(2), unit(3)] });
      raw.write({ first_position: 2, items: [unit(2), unit(3), unit(4)] });
      raw.write({ first_position: 1, items: [unit(1)] });
      await until(() => raw.responses.length === 4);
      expect(raw.responses.slice(1)).toEqual([
        { acknowledgement: { position: 3, accepted: 3, resent: 0, refused: 0 } },
        { acknowledgement: { position: 4, accepted: 1, resent: 2, refused: 0 } },
        { acknowledgement: { position: 4, accepted: 0, resent: 1, refused: 0 } },
      ]);
      expect(stored(log)).toEqual(expected(4));
      raw.cancel();
      raw.close();
    });
  });

  it('refuses gaps, other centres, no centre and too many items', async () => {
    await withFeed(async ({ log, address }) => {
      const cases: [PublishRequest[], string][] = [
        [[{ centre: 'c', first_position: 2, items: [unit(1)] }], 'MACH2103 position 2 cannot follow'],
        [[{ centre: 'c', first_position: 0, items: [unit(1)] }], 'MACH2103'],
        [[{ centre: 'c' }, { centre: 'd', first_position: 1, items: [unit(1)] }], 'MACH2102'],
        [[{ first_position: 1, items: [unit(1)] }], 'MACH2102'],
        [[{ centre: 'a b' }], 'MACH2102'],
        [[{ centre: 'c', first_position: 1, items: Array.from({ length: 4097 }, () => unit(1)) }], 'MACH2104'],
      ];
      for (const [requests, message] of cases) {
        const raw = await rawStream(address);
        for (const request of requests) raw.write(request);
        await until(() => raw.error() !== undefined);
        expect(raw.error()).toContain(message);
        raw.close();
      }
      expect(log.events).toEqual([]);
    });
  });

  it('takes a new centre also when very many others have come and gone', async () => {
    await withFeed(async ({ log, address, client }) => {
      const stub = await openStub(address);
      const visit = async (centre: string) => {
        const stream = stub.publish();
        await new Promise<void>((resolve, reject) => {
          stream.on('data', () => stream.end());
          stream.on('end', resolve);
          stream.on('error', reject);
          stream.write({ centre });
        });
      };
      const numbers = Array.from({ length: feedLimits.centresMax + 10 }, (_, number) => number);
      for (let from = 0; from < numbers.length; from += 50) {
        await Promise.all(numbers.slice(from, from + 50).map((number) => visit(`thu-${number}`)));
      }
      stub.close();
      const feed = await client();
      await feed.send(unit(1));
      await feed.flush();
      expect(stored(log)).toEqual(expected(1));
    });
  });

  it('turns bad items into dead letters, tells the sender, and keeps the others', async () => {
    await withFeed(async ({ log, client }) => {
      const told: unknown[] = [];
      const feed = await client({ onAcknowledgement: (a) => told.push(...(a.refusals ?? [])) });
      await feed.send(unit(1));
      await feed.send({ unit: { reported_ms: now } });
      await feed.send({ call: { call_id: 'C1', received_ms: now + 3_600_000 } });
      await feed.send({});
      await feed.send(unit(2));
      await feed.flush();
      expect(stored(log)).toEqual(expected(2));
      expect(log.deadLetters.map(({ code, place }) => [code, place.position])).toEqual([
        ['MACH2110', 2],
        ['MACH2112', 3],
        ['MACH2114', 4],
      ]);
      expect(Buffer.from(log.deadLetters[1]?.raw ?? []).toString()).toContain('"call_id":"C1"');
      expect(feed.refused).toBe(3);
      expect(told).toHaveLength(3);
    });
  });

  it('lets the newest stream of a centre win, after the older has settled', async () => {
    await withFeed(async ({ log, address }) => {
      let release = () => {};
      log.before = () => new Promise((resolve) => (release = resolve));
      const older = await rawStream(address);
      older.write({ centre: 'c', first_position: 1, items: [unit(1), unit(2)] });
      await until(() => older.responses.length === 1);
      const newer = await rawStream(address);
      newer.write({ centre: 'c' });
      const newest = await rawStream(address);
      await new Promise((resolve) => setTimeout(resolve, 30));
      newest.write({ centre: 'c' });
      await until(() => newer.error() !== undefined || newest.responses.length > 0 || release !== undefined);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(newest.responses).toEqual([]);
      release();
      await until(() => newest.responses.length > 0);
      expect(newest.responses[0]).toEqual({ resume: { position: 2, requests_in_flight_max: 32 } });
      await until(() => older.error() !== undefined && newer.error() !== undefined);
      expect(older.error()).toContain('MACH2105');
      expect(newer.error()).toContain('MACH2105');
      for (const raw of [older, newer, newest]) {
        raw.cancel();
        raw.close();
      }
    });
  });

  it('holds a flood back: no more than the requests in flight are read', async () => {
    await withFeed(
      async ({ log, address }) => {
        let waiting = 0;
        let release: (() => void)[] = [];
        log.before = () =>
          new Promise((resolve) => {
            waiting++;
            release.push(resolve);
          });
        const raw = await rawStream(address);
        raw.write({ centre: 'c' });
        const total = 300;
        for (let i = 0; i < total; i++)
          raw.write({ first_position: i * 10 + 1, items: Array.from({ length: 10 }, (_, j) => unit(i * 10 + j + 1)) });
        await until(() => waiting === 1);
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(waiting).toBe(1);
        log.before = () => {};
        for (const go of release) go();
        release = [];
        await until(() => raw.responses.length === total + 1);
        expect(stored(log)).toEqual(expected(total * 10));
        raw.end();
        await until(raw.ended);
        raw.close();
      },
      { in_flight: 4 },
    );
  });

  it('answers what it owes when it drains', async () => {
    await withFeed(async ({ log, address, restart }) => {
      let release = () => {};
      log.before = () => new Promise((resolve) => (release = resolve));
      const raw = await rawStream(address);
      raw.write({ centre: 'c', first_position: 1, items: [unit(1)] });
      await until(() => raw.responses.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const restarted = restart();
      release();
      await restarted;
      await until(() => raw.error() !== undefined);
      expect(raw.responses[1]).toEqual({ acknowledgement: { position: 1, accepted: 1, resent: 0, refused: 0 } });
      expect(raw.error()).toContain('MACH2107');
      raw.close();
    });
  });
});

describe('Submit', () => {
  it('stores with an identity and answers after the append', async () => {
    await withFeed(async ({ log, address }) => {
      const stub = await openStub(address);
      const answer = await stub.submit({ centre: 'c', id: 'one', items: [unit(1), {}] });
      expect(answer).toMatchObject({ accepted: 1, refused: 1, refusals: [{ position: 1, code: 'MACH2114' }] });
      expect(log.requests[0]).toMatchObject({ origin: 'c', id: 'submit:one' });
      await expect(stub.submit({ items: [unit(1)] })).rejects.toThrow('MACH2102');
      log.before = () => {
        throw new Error('disk full');
      };
      await expect(stub.submit({ centre: 'c', items: [unit(1)] })).rejects.toThrow(/MACH2106 .*disk full/);
      stub.close();
    });
  });
});

describe('WatchHospitals', () => {
  it('tells what is known, then every change, and only what was asked for', async () => {
    await withFeed(async ({ log, address }) => {
      const stop = new AbortController();
      log.publish('hospital-load', { hospital: 'H1', level: 2, nedocs: 80.5, minute: now, extra: 'x', waiting: null });
      log.publish('hospital-load', { hospital: 'H2', level: 1 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const seen: HospitalLoad[] = [];
      const watching = (async () => {
        for await (const load of watchHospitals(address, { hospitals: ['H1'], signal: stop.signal })) seen.push(load);
      })();
      await until(() => seen.length === 1);
      log.publish('hospital-load', { hospital: 'H2', level: 3 });
      log.publish('hospital-load', { level: 3 });
      const minute = new Date(now + 60_000).toISOString();
      log.publish('hospital-load', { hospital: 'H1', level: 4, diversion: true, minute });
      await until(() => seen.length === 2);
      expect(seen).toEqual([
        { hospital: 'H1', minute_ms: now, level: 2, nedocs: 80.5 },
        { hospital: 'H1', minute_ms: now + 60_000, level: 4, diversion: true },
      ]);
      stop.abort();
      await watching;
    });
  });

  it('gives a slow watcher the newest of each hospital, without a queue that grows', async () => {
    await withFeed(async ({ log, address }) => {
      const stub = await openStub(address);
      const stream = stub.watch({});
      stream.on('error', () => {});
      stream.pause();
      log.publish('hospital-load', { hospital: 'H0', level: 1 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const rounds = 20_000;
      for (let i = 1; i <= rounds; i++) {
        for (const hospital of ['H1', 'H2']) log.publish('hospital-load', { hospital, waiting: i });
        if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const seen: HospitalLoad[] = [];
      stream.on('data', ({ load }: { load: HospitalLoad }) => seen.push(load));
      stream.resume();
      const newest = (hospital: string) => seen.findLast((load) => load.hospital === hospital)?.waiting;
      await until(() => newest('H1') === rounds && newest('H2') === rounds);
      expect(seen.length).toBeLessThan(rounds);
      stream.cancel();
      stub.close();
    });
  });
});

describe('access', () => {
  it('refuses calls without a valid token, health aside', async () => {
    await withFeed(
      async ({ address, client, log }) => {
        const bare = await openStub(address);
        await expect(bare.submit({ centre: 'c', items: [unit(1)] })).rejects.toThrow('MACH2109');
        bare.close();
        const wrong = await client({ token: 'another-token-that-is-wrong' });
        await wrong.send(unit(1));
        await expect(wrong.flush()).rejects.toThrow('MACH2109');
        const feed = await client({ token });
        await feed.send(unit(1));
        await feed.flush();
        expect(stored(log)).toEqual(['XE-1']);
        expect(await health(address)).toBe('SERVING');
      },
      { tokens: ['an-older-token-for-tests', token] },
    );
  });

  it('answers reflection with its services', async () => {
    await withFeed(async ({ address }) => {
      const services = await reflectedServices(address);
      expect(services).toContain('mach.feed115.v1.FeedService');
    });
  });

  it('says why it cannot listen', async () => {
    await withFeed(async ({ address }) => {
      const opened = bindSource(feed115, { listen: address }).open(
        testContext(recordedLog(), { clock: virtualClock(now) }),
      );
      await expect(opened).rejects.toMatchObject({ code: 'MACH2101' });
    });
  });
});

async function health(address: string): Promise<string> {
  const grpc = await import('@grpc/grpc-js');
  const { service } = await import('grpc-health-check');
  const Health = grpc.makeClientConstructor(service as never, 'Health');
  const client = new Health(address, grpc.credentials.createInsecure());
  const answer = await new Promise<{ status: string }>((resolve, reject) => {
    (client as unknown as { Check: (r: object, c: (e: unknown, a: { status: string }) => void) => void }).Check(
      {},
      (error, value) => (error ? reject(error) : resolve(value)),
    );
  });
  client.close();
  return answer.status;
}

/** Asks `ServerReflection` by hand: list_services is field 7, and names come back as text in the answer. */
async function reflectedServices(address: string): Promise<string> {
  const grpc = await import('@grpc/grpc-js');
  const Reflection = grpc.makeClientConstructor(
    {
      Info: {
        path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        requestStream: true,
        responseStream: true,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    'ServerReflection',
  );
  const client = new Reflection(address, grpc.credentials.createInsecure());
  const stream = (client as unknown as { Info: () => NodeJS.ReadWriteStream }).Info();
  const answer = new Promise<string>((resolve, reject) => {
    stream.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    stream.on('error', reject);
  });
  stream.write(Buffer.from([0x3a, 0x00]) as never);
  const text = await answer;
  stream.end();
  client.close();
  return text;
}
