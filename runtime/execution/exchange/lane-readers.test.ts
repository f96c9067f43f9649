/** One lane silent, the others flooding, on both logs: what is held stays bounded, and all comes in order once the silent one speaks. */
import { describe, expect, it, vi } from 'vitest';
import { connectLog } from '../../bus/jetstream/log.ts';
import type { Log, LogMessage, LogStream } from '../../bus/log.ts';
import { memoryLog } from '../../bus/memory/log.ts';
import { virtualClock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { defineSchema, field } from '../../stream/schema.ts';
import { withNats } from '../../testing/with-nats.ts';
import { decodeExchangeFrame, encodeExchangeFrame } from './exchange-frame.ts';
import { ExchangeMerge, type ExchangeStep } from './exchange-merge.ts';
import { endsOf, readLanes } from './lane-readers.ts';

/** For a machine that is busy with others. */
vi.setConfig({ testTimeout: 180_000 });

const schema = defineSchema({ lane: field.string(), sequence: field.int() });
const schemaOf = () => schema;
const lanes = ['quick', 'quicker', 'silent'].map((name) => ({ name, subject: `lanes.${name}` }));
const rowsPerMessage = 1_000;
const messages = 40;
/** Two lanes bring twice what may be held of them. */
const bound = 2 * (limits.laneRowsMax + rowsPerMessage);

const openMerge = () =>
  new ExchangeMerge(
    lanes.map(({ name }) => name),
    { handled: 0, position: 1 },
  );

async function flood(stream: LogStream, lane: string): Promise<void> {
  for (let message = 0; message < messages; message++) {
    const sequences = Array.from({ length: rowsPerMessage }, (_, at) => message * rowsPerMessage + at + 1);
    const rows = sequences.map((sequence) => ({
      exchange: 'e',
      sequence,
      wave: 0,
      cause: 0,
      index: 0,
      time: sequence,
      acceptedAt: 0,
      event: { lane, sequence },
    }));
    const through = sequences.at(-1) as number;
    await stream.append(`lanes.${lane}`, encodeExchangeFrame({ through, rows, watermarks: [] }, schemaOf));
  }
}

const say = (stream: LogStream, through: number) =>
  stream.append('lanes.silent', encodeExchangeFrame({ through, rows: [], watermarks: [] }, schemaOf));

function read(stream: LogStream, merge: ExchangeMerge, { fromSequence = 1 } = {}) {
  const stop = new AbortController();
  const steps: ExchangeStep[] = [];
  const heard: LogMessage[] = [];
  let most = 0;
  const changed = new Set<() => void>();
  const done = readLanes({
    stream,
    lanes,
    fromSequence,
    merge,
    signal: stop.signal,
    async handle(lane, message) {
      heard.push(message);
      merge.push(message.sequence, lane, decodeExchangeFrame(message.payload, schemaOf), message.payload.length);
      for (let step = merge.next(); step; step = merge.next()) steps.push(step);
      most = Math.max(most, merge.waiting);
      for (const wake of changed) wake();
    },
  });
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!condition()) return;
        changed.delete(look);
        resolve();
      };
      changed.add(look);
      look();
    });
  return {
    steps,
    heard,
    most: () => most,
    until: (condition: () => boolean) => Promise.race([until(condition), done]),
    async stop() {
      stop.abort();
      await done;
    },
  };
}

const logs: Record<string, (body: (log: Log) => Promise<void>) => Promise<void>> = {
  async memory(body) {
    await body(memoryLog({ clock: virtualClock(0) }));
  },
  jetstream: (body) =>
    withNats(async ({ url }) => {
      const log = await connectLog({ url });
      try {
        await body(log);
      } finally {
        await log.close();
      }
    }),
};

describe.each(Object.entries(logs))('lanes on %s', (_, withLog) => {
  const open = (log: Log) => log.stream({ name: 'lanes', subjects: ['lanes.>'], durability: 'broker' });
  const isFull = (merge: ExchangeMerge) => () => merge.mustPause('quick') && merge.mustPause('quicker');
  const total = messages * rowsPerMessage;

  it('hold no more than laneRowsMax of each while one is silent; nothing is lost, and the order is right', () =>
    withLog(async (log) => {
      const stream = await open(log);
      const merge = openMerge();
      const reading = read(stream, merge);
      await Promise.all([flood(stream, 'quick'), flood(stream, 'quicker')]);
      await reading.until(isFull(merge));
      expect(merge.waiting).toBeLessThanOrEqual(bound);
      expect(reading.steps).toEqual([]);
      for (const through of [1, total >> 1, total]) {
        await say(stream, through);
        await reading.until(() => reading.steps.length >= through);
        expect(reading.steps).toHaveLength(through);
      }
      await reading.stop();
      expect(reading.most()).toBeLessThanOrEqual(bound);
      expect(merge.waiting).toBe(0);
      const shown = reading.steps.map(({ sequence, waves }) => [
        sequence,
        waves[0]?.rows.map(({ event }) => event.lane),
      ]);
      expect(shown).toEqual(shown.map((_, at) => [at + 1, ['quick', 'quicker']]));
      expect(merge.readFrom(await endsOf(stream, lanes))).toBe((await stream.state()).lastSequence + 1);
    }));

  it('go on after a restart from what was given out', () =>
    withLog(async (log) => {
      const stream = await open(log);
      await Promise.all([flood(stream, 'quick'), flood(stream, 'quicker')]);
      const first = openMerge();
      const before = read(stream, first);
      await before.until(isFull(first));
      const handled = 12_345;
      await say(stream, handled);
      await before.until(() => before.steps.length >= handled);
      const readFrom = first.readFrom(await endsOf(stream, lanes));
      await before.stop();
      const second = new ExchangeMerge(
        lanes.map(({ name }) => name),
        { handled, position: readFrom },
      );
      const after = read(stream, second, { fromSequence: readFrom });
      await say(stream, total);
      await after.until(() => after.steps.length >= total - handled);
      await after.stop();
      expect(after.most()).toBeLessThanOrEqual(bound);
      expect([...before.steps, ...after.steps].map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: total }, (_, at) => at + 1),
      );
    }));
});
