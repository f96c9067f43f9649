/** Rows that fit alone and are far too much together: they go out in several messages, in order. */
import { expect, it, vi } from 'vitest';
import type { LogStream } from '../bus/log.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { defineSchema, type Event, field } from '../stream/schema.ts';
import { decodeExchangeFrame } from './exchange/exchange-frame.ts';
import { openExchangePublisher } from './exchange/exchange-publisher.ts';
import { decodeOutputFrame } from './log-frame.ts';
import { openOutputPublisher } from './output-publisher.ts';

const schema = defineSchema({ id: field.int(), text: field.string() });
// Half a gigabyte together, which is more than one text may have; no two rows fit into one message.
const rows = 270;
const text = 'x'.repeat(2 * 1024 * 1024);
const events = Array.from({ length: rows }, (_, id): Event => ({ id, text }));
const ids = events.map(({ id }) => id);

/** A stream that keeps of its messages only what a test asks of them. */
async function openStream(idsOf: (payload: Uint8Array) => unknown[]) {
  const clock = virtualClock(1_700_000_000_000);
  const stream: LogStream = await memoryLog({ clock }).stream({ name: 'out', subjects: ['out.>'], durability: 'disk' });
  const kept: unknown[] = [];
  let sequence = 0;
  vi.spyOn(stream, 'append').mockImplementation(async (_subject, payload, options) => {
    expect(options?.expectedLastSubjectSequence).toBe(sequence);
    expect(payload.length).toBeLessThanOrEqual(stream.messageBytesMax);
    kept.push(...idsOf(payload as Uint8Array));
    sequence++;
    return { sequence, duplicate: false };
  });
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => void failures.push(error);
  return {
    kept,
    failures,
    args: { stream, subject: 'out.a', clock, beginning: 0, crashPoints: noCrashPoints, onFailure },
  };
}

it('of an output', async () => {
  const { kept, failures, args } = await openStream((payload) =>
    decodeOutputFrame(payload, schema).rows.map(({ event }) => event.id),
  );
  const publisher = await openOutputPublisher({ ...args, schema });
  publisher.add({ events, times: events.map(() => 0), sequence: 1, index: 0, acceptedAt: 0 });
  await publisher.flushed();
  expect(failures).toEqual([]);
  expect(kept).toEqual(ids);
});

it('of an exchange', async () => {
  const schemaOf = () => schema;
  const { kept, failures, args } = await openStream((payload) =>
    decodeExchangeFrame(payload, schemaOf).rows.map(({ event }) => event.id),
  );
  const publisher = await openExchangePublisher({ ...args, schemaOf });
  const place = { exchange: 'x', sequence: 1, wave: 0, time: 0, acceptedAt: 0 };
  for (const [cause, event] of events.entries()) publisher.row({ ...place, cause, event });
  publisher.completed(1);
  await publisher.flushed();
  expect(failures).toEqual([]);
  expect(kept).toEqual(ids);
});

it('of an exchange, one as large as a row may be, beside very many watermarks', async () => {
  const schemaOf = () => schema;
  const { kept, failures, args } = await openStream((payload) => {
    const frame = decodeExchangeFrame(payload, schemaOf);
    return [[frame.rows.length, frame.watermarks.length, frame.through]];
  });
  const publisher = await openExchangePublisher({ ...args, schemaOf });
  const place = { exchange: 'x', sequence: 1, wave: 0, time: 0 };
  publisher.row({ ...place, cause: 0, acceptedAt: 0, event: { id: 1, text: 'x'.repeat(limits.rowBytesMax - 64) } });
  const watermarks = limits.frameEventsMax;
  for (let wave = 0; wave < watermarks; wave++)
    publisher.watermark({ ...place, wave, time: wave * 1_000, idle: false });
  publisher.completed(1);
  await publisher.flushed();
  expect(failures).toEqual([]);
  // The lane has come through with the last alone.
  expect(kept).toEqual([
    [1, 0, 0],
    [0, watermarks, 1],
  ]);
});
