/** What every log must do, whatever it is made of. Run by the tests of each implementation. */
import { describe, expect, it } from 'vitest';
import type { Log, LogMessage, LogStream, StreamSpec } from '../log.ts';
import { describeLeases } from './lease-contract.ts';

export interface ContractSubject {
  readonly name: string;
  /** A log of its own for each test; `connect` gives another client of the same log. */
  run(body: (log: Log, connect: () => Promise<Log>) => Promise<void>): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const textOf = (message: LogMessage | undefined): string | undefined =>
  message && new TextDecoder().decode(message.payload);

export const events: StreamSpec = { name: 'events', subjects: ['events.>'], durability: 'disk' };

/** The first so many messages from a position. */
export async function take(
  stream: LogStream,
  count: number,
  options: { fromSequence?: number; subjects?: readonly string[]; readAheadMessages?: number } = {},
): Promise<LogMessage[]> {
  const taken: LogMessage[] = [];
  if (count === 0) return taken;
  for await (const message of stream.read({ fromSequence: 1, ...options })) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { code?: string }) => error.code ?? error,
  );

const manyTexts = (count: number) => Array.from({ length: count }, (_, index) => `message ${index}`);

export function describeLog(subject: ContractSubject): void {
  const { run } = subject;

  describeLeases(subject);

  describe(`${subject.name}: appends`, () => {
    it('stores in order, without gaps, from sequence 1', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        expect(await stream.state()).toMatchObject({ firstSequence: 1, lastSequence: 0, messages: 0 });
        const appended = await Promise.all(manyTexts(500).map((value) => stream.append('events.a', text(value))));
        expect(appended.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
        expect(appended.every(({ duplicate }) => !duplicate)).toBe(true);
        const messages = await take(stream, 500);
        expect(messages.map(textOf)).toEqual(manyTexts(500));
        expect(await stream.state()).toMatchObject({ firstSequence: 1, lastSequence: 500, messages: 500 });
      }));

    it('finds a stream that is there, and makes none that is not', () =>
      run(async (log, connect) => {
        expect(await log.find('events')).toBeUndefined();
        const stream = await log.stream({ ...events, description: 'as it was made' });
        await stream.append('events.a', text('one'));
        const found = await (await connect()).find('events');
        expect(found?.spec).toMatchObject({ name: 'events', subjects: ['events.>'], durability: 'disk' });
        expect((await take(found as LogStream, 1)).map(textOf)).toEqual(['one']);
        expect(await log.find('other')).toBeUndefined();
      }));

    it('keeps payload, subject and headers as they were', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        const payload = Uint8Array.from({ length: 256 }, (_, index) => index);
        await stream.append('events.raw', payload, { headers: { 'X-Origin': 'Bệnh viện Thử Nghiệm' } });
        await stream.append('events.empty', new Uint8Array());
        const [first, second] = await take(stream, 2);
        expect(Buffer.from(first?.payload ?? [])).toEqual(Buffer.from(payload));
        expect(first).toMatchObject({ subject: 'events.raw', sequence: 1 });
        expect(first?.headers['X-Origin']).toBe('Bệnh viện Thử Nghiệm');
        expect(second?.payload.length).toBe(0);
        expect(textOf(await stream.get(2))).toBe('');
      }));

    it('stores one identity once', () =>
      run(async (log, connect) => {
        const stream = await log.stream(events);
        const first = await stream.append('events.a', text('one'), { id: 'A1' });
        const again = await stream.append('events.a', text('one'), { id: 'A1' });
        const elsewhere = await (await connect()).stream(events);
        const other = await elsewhere.append('events.a', text('one'), { id: 'A1' });
        expect([first, again, other]).toEqual([
          { sequence: 1, duplicate: false },
          { sequence: 1, duplicate: true },
          { sequence: 1, duplicate: true },
        ]);
        expect((await stream.state()).messages).toBe(1);
      }));

    it('gives two clients identities of their own', () =>
      run(async (log, connect) => {
        const one = await log.stream(events);
        const two = await (await connect()).stream(events);
        const appended = [
          await one.append('events.a', text('one')),
          await two.append('events.a', text('two')),
          await one.append('events.a', text('three')),
        ];
        expect(appended.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
      }));

    it('fences: refuses when somebody else has written to the subject (MACH3001)', () =>
      run(async (log, connect) => {
        const owner = await log.stream(events);
        const newer = await (await connect()).stream(events);
        const first = await owner.append('events.out', text('1'), { expectedLastSubjectSequence: 0 });
        await owner.append('events.other', text('another subject does not matter'));
        const second = await newer.append('events.out', text('2'), { expectedLastSubjectSequence: first.sequence });
        const late = owner.append('events.out', text('stale'), { expectedLastSubjectSequence: first.sequence });
        expect(await codeOf(late)).toBe('MACH3001');
        await expect(late).rejects.toThrow(`last message is ${second.sequence}, expected was ${first.sequence}`);
        expect(await codeOf(newer.append('events.new', text('x'), { expectedLastSubjectSequence: 5 }))).toBe(
          'MACH3001',
        );
        expect(textOf(await owner.last('events.out'))).toBe('2');
      }));

    it('lets the repetition of a fenced append through as what it is', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        const fence = { id: 'out/7', expectedLastSubjectSequence: 0 };
        expect(await stream.append('events.out', text('7'), fence)).toEqual({ sequence: 1, duplicate: false });
        expect(await stream.append('events.out', text('7'), fence)).toEqual({ sequence: 1, duplicate: true });
      }));

    it('refuses what is too large (MACH3003), takes the largest that is allowed', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        const largest = 4 * 1024 * 1024;
        expect(await codeOf(stream.append('events.big', new Uint8Array(largest + 1)))).toBe('MACH3003');
        await stream.append('events.big', new Uint8Array(largest).fill(7));
        const [message] = await take(stream, 1);
        expect(message?.payload.length).toBe(largest);
        expect((await stream.last('events.big'))?.payload.length).toBe(largest);
      }));

    it('holds more than its window without losing order', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        const completed: number[] = [];
        const appends = manyTexts(3000).map((value, index) =>
          stream.append('events.a', text(value)).then(() => completed.push(index)),
        );
        await Promise.all(appends);
        expect(completed).toEqual(Array.from({ length: 3000 }, (_, index) => index));
        expect((await take(stream, 3000)).map(textOf)).toEqual(manyTexts(3000));
      }));

    it('refuses after close (MACH3015)', () =>
      run(async (_, connect) => {
        const log = await connect();
        const stream = await log.stream(events);
        await log.close();
        expect(await codeOf(stream.append('events.a', text('x')))).toBe('MACH3015');
      }));
  });

  describe(`${subject.name}: reading`, () => {
    it('starts anywhere and goes on with what comes', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        for (const value of ['1', '2', '3']) await stream.append('events.a', text(value));
        const reading = take(stream, 4, { fromSequence: 2 });
        await stream.append('events.a', text('4'));
        await stream.append('events.a', text('5'));
        expect((await reading).map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5]);
        const ahead = take(stream, 1, { fromSequence: 6 });
        await stream.append('events.a', text('6'));
        expect((await ahead).map(textOf)).toEqual(['6']);
      }));

    it('filters by subject, wildcards allowed', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        for (let index = 0; index < 300; index++) await stream.append(`events.${index % 3}.x`, text(String(index)));
        const one = await take(stream, 100, { subjects: ['events.1.x'] });
        expect(one.map(textOf)).toEqual(Array.from({ length: 100 }, (_, index) => String(index * 3 + 1)));
        const two = await take(stream, 200, { subjects: ['events.0.*', 'events.2.>'] });
        expect(two.map(({ sequence }) => sequence % 3).includes(2)).toBe(false);
        expect(two).toHaveLength(200);
      }));

    it('ends without an error when its signal aborts, waiting or not', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        const abort = new AbortController();
        const seen: number[] = [];
        const reading = (async () => {
          for await (const { sequence } of stream.read({ fromSequence: 1, signal: abort.signal })) {
            seen.push(sequence);
            if (sequence === 2) abort.abort();
          }
        })();
        await stream.append('events.a', text('1'));
        await stream.append('events.a', text('2'));
        await reading;
        expect(seen).toEqual([1, 2]);
        const idle = new AbortController();
        const waiting = takeAll(stream.read({ fromSequence: 3, signal: idle.signal }));
        idle.abort();
        expect(await waiting).toEqual([]);
      }));

    it('lets several readers go each at its own pace, the slowest with one message ahead', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        const appends = manyTexts(300).map((value) => stream.append('events.a', text(value)));
        const readers = [1, 3, 256].map((readAheadMessages) => take(stream, 300, { readAheadMessages }));
        await Promise.all(appends);
        for (const messages of await Promise.all(readers)) expect(messages.map(textOf)).toEqual(manyTexts(300));
      }));

    it('says when the position lies beyond the end (MACH3006)', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        await stream.append('events.a', text('1'));
        expect(await codeOf(take(stream, 1, { fromSequence: 3 }))).toBe('MACH3006');
      }));

    it('says when messages were removed before they were read (MACH3005)', () =>
      run(async (log) => {
        const stream = await log.stream({ ...events, bytesMax: 100_000 });
        for (let index = 0; index < 30; index++) await stream.append('events.a', new Uint8Array(10_000));
        const { firstSequence } = await stream.state();
        expect(firstSequence).toBeGreaterThan(15);
        const reading = take(stream, 1);
        expect(await codeOf(reading)).toBe('MACH3005');
        await expect(reading).rejects.toThrow(`1 to ${firstSequence - 1}`);
        expect(await codeOf(take(stream, 1, { subjects: ['events.*'] }))).toBe('MACH3005');
        expect((await take(stream, 1, { fromSequence: firstSequence }))[0]?.sequence).toBe(firstSequence);
      }));
  });

  describe(`${subject.name}: streams`, () => {
    it('finds the last of a subject, single messages, and what there is', () =>
      run(async (log) => {
        const stream = await log.stream(events);
        for (const key of ['a.1', 'b.1', 'a.2']) await stream.append(`events.${key}`, text(key));
        expect(textOf(await stream.last('events.a.1'))).toBe('a.1');
        expect(textOf(await stream.last('events.a.*'))).toBe('a.2');
        expect(textOf(await stream.last('events.>'))).toBe('a.2');
        expect(await stream.last('events.c')).toBeUndefined();
        expect((await stream.get(2))?.subject).toBe('events.b.1');
        expect(await stream.get(4)).toBeUndefined();
      }));

    it('keeps the newest of each subject where only that is wanted', () =>
      run(async (log) => {
        const stream = await log.stream({ ...events, latestOnly: true });
        for (let index = 0; index < 20; index++) await stream.append(`events.${index % 2}`, text(String(index)));
        expect((await take(stream, 2)).map(textOf)).toEqual(['18', '19']);
        expect((await stream.state()).messages).toBe(2);
      }));

    it('opens what exists, and says when it is something else (MACH3008)', () =>
      run(async (log, connect) => {
        await (await log.stream(events)).append('events.a', text('1'));
        const again = await (await connect()).stream({ ...events, ageMaxMs: 3_600_000 });
        expect((await again.state()).messages).toBe(1);
        expect(await codeOf(log.stream({ ...events, subjects: ['events.x'] }))).toBe('MACH3008');
        expect(await codeOf(log.stream({ ...events, durability: 'broker' }))).toBe('MACH3008');
        expect(await codeOf(log.stream({ ...events, latestOnly: true }))).toBe('MACH3008');
        expect(await codeOf(log.stream({ ...events, name: 'other' }))).toBe('MACH3016');
      }));

    it('says what the server is', () =>
      run(async (log) => {
        const { server, version } = await log.check();
        expect(server.length).toBeGreaterThan(0);
        expect(version).toMatch(/^\d/);
      }));

    it('carries plain subjects to whoever listens', () =>
      run(async (log, connect) => {
        const other = await connect();
        const abort = new AbortController();
        const received: string[] = [];
        const listening = (async () => {
          for await (const { subject: from, payload } of other.subscribe('live.>', abort.signal)) {
            received.push(`${from} ${new TextDecoder().decode(payload)}`);
            if (payload[0] === 0x45) break;
          }
        })();
        await other.check();
        log.publish('live.beds', text('4'));
        log.publish('dead.beds', text('5'));
        log.publish('live.end', text('E'));
        await listening;
        expect(received).toEqual(['live.beds 4', 'live.end E']);
        abort.abort();
      }));
  });

  describe(`${subject.name}: objects`, () => {
    it('puts, replaces, lists and deletes, of any size and name', () =>
      run(async (log, connect) => {
        const store = await log.objects('checkpoints');
        const large = new Uint8Array(2_000_001).map((_, index) => index * 31);
        await store.put('tầng 1/khoa cấp cứu', large);
        await store.put('empty', new Uint8Array());
        expect(await store.list()).toEqual(['empty', 'tầng 1/khoa cấp cứu']);
        const elsewhere = await (await connect()).objects('checkpoints');
        expect(Buffer.compare((await elsewhere.get('tầng 1/khoa cấp cứu')) ?? new Uint8Array(), large)).toBe(0);
        expect(await store.get('empty')).toEqual(new Uint8Array());
        await store.put('empty', text('not any more'));
        expect(Buffer.from((await elsewhere.get('empty')) ?? []).toString()).toBe('not any more');
        await store.delete('empty');
        expect(await store.get('empty')).toBeUndefined();
        expect(await store.get('never')).toBeUndefined();
        expect(await elsewhere.list()).toEqual(['tầng 1/khoa cấp cứu']);
        await store.delete('never');
      }));

    it('shows the old or the new while it is replaced, never a mix', () =>
      run(async (log, connect) => {
        const store = await log.objects('checkpoints');
        const elsewhere = await (await connect()).objects('checkpoints');
        const version = (value: number) => new Uint8Array(1_200_000).fill(value);
        await store.put('state', version(0));
        let done = false;
        const writing = (async () => {
          for (let value = 1; value <= 8; value++) await store.put('state', version(value));
          done = true;
        })();
        let newest = 0;
        while (!done) {
          const read = await elsewhere.get('state').catch((error: { code: string }) => {
            // So many replacements during one read that it gave up; that is said, and is no mix.
            expect(error.code).toBe('MACH3007');
            return undefined;
          });
          if (!read) continue;
          const [value = -1] = read;
          expect(read.every((byte) => byte === value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(newest);
          newest = value;
        }
        await writing;
        expect((await elsewhere.get('state'))?.[0]).toBe(8);
      }));

    it('notices damage (MACH3007)', () =>
      run(async (log) => {
        const store = await log.objects('checkpoints');
        await store.put('state', new Uint8Array(600_000).fill(1));
        const stream = await log.stream({
          name: 'objects-checkpoints',
          subjects: ['mach-objects.checkpoints.>'],
          durability: 'disk',
          description: 'Objects of checkpoints',
          latestOnly: true,
        });
        const piece = await stream.get(2);
        await stream.append(piece?.subject ?? '', new Uint8Array(piece?.payload.length ?? 0).fill(2));
        expect(await codeOf(store.get('state'))).toBe('MACH3007');
        await store.put('state', text('whole again'));
        expect(Buffer.from((await store.get('state')) ?? []).toString()).toBe('whole again');
      }));
  });
}

async function takeAll(reading: AsyncIterable<LogMessage>): Promise<LogMessage[]> {
  const taken: LogMessage[] = [];
  for await (const message of reading) taken.push(message);
  return taken;
}
