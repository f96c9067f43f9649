/** More look-ups than may be asked for at once: what comes of the events, and in which order. */
import { expect, it } from 'vitest';
import { limits } from '../limits.ts';
import type { Event } from '../stream/schema.ts';
import { type Lab, openLab } from '../testing/engine-lab.ts';
import { bookOf } from './dead-letters/book.fixture.ts';

const topology = (order: string) => `version: 1
name: lab
sources:
  calls: { pulses: {}, idle: 30d, disorder: 0s }
operators:
  asked: { ask: { from: calls, timeout: 60s, order: ${order} } }
  sums: { totals: { from: asked, every: 1s } }
sinks:
  rows: { collect: { from: asked } }
  sums_rows: { collect: { from: sums, key: [hospital, begin] } }
`;

const { lookupPendingMax, lookupWaitingMax } = limits;

/** All questions are answered once they may be. */
function opened(order: string): { lab: Lab; answer(): void } {
  let answer: () => void = () => {};
  const open = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const lab = openLab({
    topology: topology(order),
    edges: {
      answer: async ({ value }: Event) => {
        await open;
        // Some fail.
        if (Number(value) % 10 === 3) throw new Error('not reached');
        return 'known';
      },
    },
  });
  return { lab, answer };
}

const overloaded = `overloaded: lookupPendingMax (${lookupPendingMax}) wait`;

const valuesUpTo = (count: number) => Array.from({ length: count }, (_, value) => value);

async function ran(order: string, { count, isCrashing }: { count: number; isCrashing: boolean }) {
  const { lab, answer } = opened(order);
  let process = await lab.start({ checkpointEveryMs: 500 });
  for (let sent = 0; sent < count; sent += 4_000) {
    const time = lab.clock.now();
    const events = valuesUpTo(Math.min(4_000, count - sent)).map((value) => ({
      event: { id: `p${sent + value}`, hospital: 'H1', value: sent + value, patient: null },
      time,
    }));
    await lab.drive(process.source('calls').append({ origin: 'one', events }), 10);
    await lab.clock.advance(1_000);
  }
  const early = { values: lab.events('rows').map(({ value }) => value), sums: lab.events('sums_rows').length };
  const startAgain = async () => {
    process.kill();
    process = await lab.start({ checkpointEveryMs: 500 });
  };
  if (isCrashing) await startAgain();
  answer();
  await lab.clock.advance(500);
  if (isCrashing) await startAgain();
  await lab.settle(process);
  return { early, rows: lab.events('rows'), letters: (await bookOf(lab)).book.entries };
}

it('come behind those that wait, in an order that is kept, and time with them; what is still more is a dead letter', async () => {
  const { early, rows, letters } = await ran('kept', { count: lookupWaitingMax + 100, isCrashing: true });
  expect(early).toEqual({ values: [], sums: 0 });
  expect(rows.map(({ value }) => value)).toEqual(valuesUpTo(lookupWaitingMax));
  const expected = (value: number) =>
    value >= lookupPendingMax ? overloaded : value % 10 === 3 ? 'not reached' : null;
  expect(rows.map(({ failure }) => failure)).toEqual(valuesUpTo(lookupWaitingMax).map(expected));
  expect(letters.map(({ node, input, code }) => ({ node, input, code }))).toEqual(
    valuesUpTo(100).map(() => ({ node: 'asked', input: 'from', code: 'MACH3257' })),
  );
}, 60_000);

it('go on at once without an answer, in an order that is free', async () => {
  const { early, rows } = await ran('free', { count: lookupPendingMax + 10, isCrashing: false });
  expect(early.values).toEqual(valuesUpTo(10).map((value) => lookupPendingMax + value));
  expect(rows.map(({ value }) => Number(value)).sort((one, other) => one - other)).toEqual(
    valuesUpTo(lookupPendingMax + 10),
  );
  expect(rows.filter(({ failure }) => failure === overloaded)).toHaveLength(10);
}, 60_000);
