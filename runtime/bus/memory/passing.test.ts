import { describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { LazyMessage, LogMessage, LogStream } from '../log.ts';
import { lengthOf } from '../log.ts';
import { memoryLog } from './log.ts';

function lazy(text: string): LazyMessage & { encoded: number } {
  return {
    frame: { text },
    length: 1_000,
    encoded: 0,
    bytes() {
      this.encoded++;
      return Buffer.from(text);
    },
  };
}

async function openStream(keeps: boolean): Promise<LogStream> {
  const log = memoryLog({ clock: systemClock(), passing: { keeps: () => keeps, readers: () => 1 } });
  return log.stream({ name: 'events', subjects: ['events.>'], durability: 'broker' });
}

async function take(stream: LogStream, count: number, fromSequence = 1): Promise<LogMessage[]> {
  const taken: LogMessage[] = [];
  for await (const message of stream.read({ fromSequence })) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

describe('a log that hands messages on', () => {
  it('gives readers what was appended, and encodes it only for who asks for its bytes', async () => {
    const stream = await openStream(true);
    const given = lazy('one');
    await stream.append('events.a', given);
    const [message] = await take(stream, 1);
    expect(message?.lazy).toBe(given);
    expect(lengthOf(message as LogMessage)).toBe(1_000);
    expect(given.encoded).toBe(0);
    expect(Buffer.from(message?.payload ?? []).toString()).toBe('one');
    expect(given.encoded).toBe(1);
  });

  it('keeps what one of its readers has not passed, then forgets it, and says so to who comes later', async () => {
    const stream = await openStream(false);
    for (const text of ['one', 'two', 'three', 'four']) await stream.append('events.a', lazy(text));
    const slow = stream.read({ fromSequence: 1 })[Symbol.asyncIterator]();
    expect((await slow.next()).value.sequence).toBe(1);
    expect((await take(stream, 4)).length).toBe(4);
    expect((await stream.state()).firstSequence).toBe(1);
    expect((await slow.next()).value.sequence).toBe(2);
    expect((await slow.next()).value.sequence).toBe(3);
    expect(await stream.state()).toMatchObject({ firstSequence: 3, messages: 2 });
    await expect(take(stream, 1)).rejects.toMatchObject({ code: 'MACH3005' });
    expect((await take(stream, 2, 3)).map(({ sequence }) => sequence)).toEqual([3, 4]);
    await slow.return?.();
  });

  it('holds appends back while the slowest reader has too much to read, in their order', async () => {
    const log = memoryLog({ clock: systemClock(), passing: { keeps: () => false, readers: () => 1 } });
    const spec = { name: 'events', subjects: ['events.>'], durability: 'broker', unreadBytesMax: 2_500 } as const;
    const stream = await log.stream(spec);
    const stored: string[] = [];
    const append = (text: string) => stream.append('events.a', lazy(text)).then(() => stored.push(text));
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    // Nobody reads: nobody would make room.
    await Promise.all(['a', 'b', 'c', 'd'].map(append));
    const reader = stream.read({ fromSequence: 1 })[Symbol.asyncIterator]();
    await reader.next();
    const held = ['e', 'f', 'g'].map(append);
    await settle();
    expect(stored).toEqual(['a', 'b', 'c', 'd']);
    const seen: unknown[] = [];
    for (let read = 0; read < 2; read++) seen.push((await reader.next()).value.sequence);
    await settle();
    expect(stored).toEqual(['a', 'b', 'c', 'd', 'e']);
    // A reader that goes away holds nobody.
    await reader.return?.();
    await Promise.all(held);
    expect(stored.slice(4)).toEqual(['e', 'f', 'g']);
    expect(seen).toEqual([2, 3]);
  });

  it('holds nobody back for what all have read and what stays as the newest of its subject', async () => {
    const log = memoryLog({ clock: systemClock(), passing: { keeps: () => false, readers: () => 1 } });
    const spec = { name: 'events', subjects: ['events.>'], durability: 'broker', unreadBytesMax: 2_500 } as const;
    const stream = await log.stream(spec);
    for (const subject of ['a', 'b', 'c']) await stream.append(`events.${subject}`, lazy(subject));
    const reader = stream.read({ fromSequence: 1 })[Symbol.asyncIterator]();
    for (let read = 0; read < 3; read++) await reader.next();
    const next = reader.next();
    expect((await stream.state()).bytes).toBeGreaterThan(spec.unreadBytesMax);
    // As large as what is kept: with it counted nobody would ever make room.
    for (const text of ['d', 'e']) await stream.append('events.a', lazy(text));
    expect((await next).value.sequence).toBe(4);
    await reader.return?.();
  });

  it('lets go of appends that are held back when it is closed', async () => {
    const log = memoryLog({ clock: systemClock(), passing: { keeps: () => false, readers: () => 1 } });
    const stream = await log.stream({
      name: 'events',
      subjects: ['events.>'],
      durability: 'broker',
      unreadBytesMax: 1,
    });
    await stream.append('events.a', lazy('a'));
    const reader = stream.read({ fromSequence: 1 })[Symbol.asyncIterator]();
    await reader.next();
    const held = stream.append('events.a', lazy('b'));
    await log.close();
    await expect(held).rejects.toMatchObject({ code: 'MACH3015' });
  });

  it('forgets nothing before as many readers have begun as there will be', async () => {
    const log = memoryLog({ clock: systemClock(), passing: { keeps: () => false, readers: () => 2 } });
    const stream = await log.stream({ name: 'events', subjects: ['events.>'], durability: 'broker' });
    for (const text of ['one', 'two', 'three']) await stream.append('events.a', lazy(text));
    expect((await take(stream, 3)).length).toBe(3);
    expect(await stream.state()).toMatchObject({ firstSequence: 1, messages: 3 });
    expect((await take(stream, 3)).length).toBe(3);
    await expect(take(stream, 1)).rejects.toMatchObject({ code: 'MACH3005' });
  });

  it('still knows the newest message of a subject when every reader has passed it', async () => {
    const stream = await openStream(false);
    await stream.append('events.a', lazy('old'));
    await stream.append('events.a', lazy('new'));
    await stream.append('events.b', lazy('other'));
    const ending = new AbortController();
    for await (const { sequence } of stream.read({ fromSequence: 1, signal: ending.signal })) {
      if (sequence === 3) setTimeout(() => ending.abort(), 5);
    }
    expect(await stream.get(1)).toBeUndefined();
    expect(Buffer.from((await stream.last('events.a'))?.payload ?? []).toString()).toBe('new');
  });
});
