/** Frames of a lane that are too much for one message: cut, and never twice, wherever a crash comes. */
import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../bus/memory/log.ts';
import { memoryStorage } from '../../bus/memory/storage.ts';
import { virtualClock } from '../../clock.ts';
import { armedCrashPoints } from '../../faults.ts';
import { defineSchema, field } from '../../stream/schema.ts';
import { decodeExchangeFrame, type ExchangeFrame } from './exchange-frame.ts';
import { ExchangeMerge } from './exchange-merge.ts';
import { openExchangePublisher } from './exchange-publisher.ts';

const schema = defineSchema({ text: field.string() });
const spec = { name: 'lanes', subjects: ['lanes.>'], durability: 'disk' } as const;
const subject = 'lanes.a';
/** Less than a server takes, so that little is too much. */
const messageBytesMax = 64 * 1024;
const exchange = 'with_ambulances.out/overload';

interface Said {
  /** Of each sequence, from 1: bytes of each of its rows. */
  readonly rows: (sequence: number) => readonly number[];
  readonly marks: (sequence: number) => number;
  readonly sequences: number;
}

/** Says everything, dies at the n-th append (0: never), and says everything again, as a stage does that begins anew. */
async function publish({ rows, marks, sequences }: Said, dies: number): Promise<ExchangeFrame[]> {
  const storage = memoryStorage();
  const clock = virtualClock(0);
  for (const visit of dies === 0 ? [0] : [dies, 0]) {
    const log = memoryLog({ clock, storage });
    const crashPoints = armedCrashPoints(() => log.crash());
    if (visit > 0) crashPoints.arm('exchange.after-append', visit);
    let failed = false;
    const publisher = await openExchangePublisher({
      stream: { ...(await log.stream(spec)), messageBytesMax },
      subject,
      schemaOf: () => schema,
      beginning: 0,
      clock,
      crashPoints,
      onFailure() {
        failed = true;
      },
    });
    for (let sequence = 1; sequence <= sequences; sequence++) {
      const place = { exchange, sequence, wave: 0 };
      for (const [cause, bytes] of rows(sequence).entries())
        publisher.row({ ...place, cause, time: sequence, acceptedAt: 0, event: { text: 'x'.repeat(bytes) } });
      for (let wave = 0; wave < marks(sequence); wave++)
        publisher.watermark({ ...place, wave, time: 1_000 * sequence + wave, idle: false });
    }
    publisher.completed(sequences);
    let flushed = false;
    publisher.flushed().then(
      () => {
        flushed = true;
      },
      () => undefined,
    );
    while (!flushed && !failed) await clock.advance(100);
    // A crash that never came would prove nothing.
    expect(failed).toBe(visit > 0);
  }
  const { messages } = storage.streams.get(spec.name) as { messages: Map<number, { payload: Uint8Array }> };
  return [...messages.values()].map(({ payload }) => {
    expect(payload.length).toBeLessThanOrEqual(messageBytesMax);
    return decodeExchangeFrame(payload, () => schema);
  });
}

/** What comes out of the lane behind it. */
function given(frames: readonly ExchangeFrame[]) {
  const merge = new ExchangeMerge(['a'], { handled: 0, position: 1 });
  const out: string[] = [];
  for (const [at, frame] of frames.entries()) {
    merge.push(at + 1, 'a', frame);
    for (let step = merge.next(); step; step = merge.next()) {
      const { sequence, waves } = step;
      for (const { wave, rows, watermarks } of waves) {
        for (const { index, event } of rows) out.push(`${sequence}/${wave} row ${index} ${String(event.text).length}`);
        for (const { time } of watermarks) out.push(`${sequence}/${wave} time ${time}`);
      }
    }
  }
  return out;
}

function expected({ rows, marks, sequences }: Said): string[] {
  return Array.from({ length: sequences }, (_, at) => at + 1).flatMap((sequence) => {
    const marksOf = Array.from(
      { length: marks(sequence) },
      (_, wave) => `${sequence}/${wave} time ${1_000 * sequence + wave}`,
    );
    const rowsOf = rows(sequence).map((bytes, index) => `${sequence}/0 row ${index} ${bytes}`);
    return [...rowsOf, ...marksOf];
  });
}

const large = 25_000;
const cases: Readonly<Record<string, Said>> = {
  'watermarks alone': { rows: () => [], marks: () => 1, sequences: 5_000 },
  'watermarks, many of each message': { rows: () => [], marks: () => 40, sequences: 150 },
  'watermarks, and a row at the end': {
    rows: (sequence) => (sequence === 4_000 ? [large] : []),
    marks: () => 1,
    sequences: 4_000,
  },
  'large rows of several messages': { rows: () => [large, 5, large], marks: () => 1, sequences: 9 },
  'large rows of one message': { rows: () => Array.from({ length: 9 }, () => large), marks: () => 3, sequences: 1 },
};

describe.each(Object.entries(cases))('%s', (_, said) => {
  it.each([0, 1, 2, 3])('come in several messages, all of it once, with a crash after append %d', async (dies) => {
    const frames = await publish(said, dies);
    expect(frames.length).toBeGreaterThan(2);
    expect(frames.at(-1)?.through).toBe(said.sequences);
    expect(given(frames)).toEqual(expected(said));
  });
});
