/** A dead letter that goes in again and waits for the answer of a look-up: what fails of it behind the look-up stays linked to it. */
import { describe, expect, it } from 'vitest';
import { mergeAccounting } from '../../stream/ledger.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { bookOf, engineOf, redriveAll } from './book.fixture.ts';

/** The look-up stands behind an exchange where there are several partitions, and what fails behind another one. */
const yaml = ({ checked = 'keep: { from: beats, min: 0 }', order = 'kept' } = {}) => `version: 1
name: lab
sources:
  beats: { pulses: {}, disorder: 1h }
operators:
  checked: { ${checked} }
  first: { tallied: { from: checked } }
  asked: { ask: { from: first, order: ${order}, timeout: 1m } }
  second: { keep: { from: asked, min: 0 } }
  again: { refuses: { from: second } }
  sums: { totals: { from: again, every: 1h } }
sinks:
  rows: { collect: { from: again } }
  sums_kept: { collect: { from: sums, key: [hospital, begin] } }
`;
const pulse = (id: string, hospital: string, value: number | null, second: number) => ({
  event: { id, hospital, value, patient: null },
  time: second * 1_000,
});

async function ran(partitions: number, { order, isCrashing }: { order: string; isCrashing: boolean }) {
  const lab: Lab = openLab({
    topology: yaml(),
    edges: { answer: ({ id }) => lab.clock.sleep(String(id).startsWith('slow') ? 20_000 : 2_000).then(() => 'known') },
  });
  const start = (text: string, acceptLoss: string[] = []) =>
    lab.start({ topology: text, acceptLoss, partitions, checkpointEveryMs: 500 });
  const send = (process: LabProcess, event: ReturnType<typeof pulse>) =>
    lab.drive(process.source('beats').append({ origin: 'one', events: [event] }), 10);
  let process = await start(yaml({ checked: 'refuses: { from: beats }', order }));
  await send(process, pulse('redriven', 'H1', null, 1));
  await lab.settle(process);
  await lab.drive(engineOf(process).drain());
  process = await start(yaml({ order }), ['checked']);
  await send(process, pulse('slow', 'H2', 1, 2));
  await redriveAll(lab, engineOf(process).topology);
  // Of the first attempt: it waits beside the letter, and fails as well.
  await send(process, pulse('other', 'H3', null, 3));
  await send(process, pulse('well', 'H1', 4, 4));
  await lab.settle(process);
  if (isCrashing) {
    process.kill();
    process = await start(yaml({ order }), ['checked']);
  }
  for (let round = 0; round < 30; round++) {
    await lab.clock.advance(1_000);
    await lab.settle(process);
  }
  const { book } = await bookOf(lab);
  const [first] = book.entries;
  return {
    asks: engineOf(process).plan.nodes.get('asked')?.stage,
    letters: book.entries
      .map(({ node, input, attempts, first: of, previous }) =>
        JSON.stringify([node, input, attempts, of === first?.id, previous === first?.id]),
      )
      .sort(),
    endings: [...book.endings].map(([id, ending]) => [id === first?.id, ending]),
    rows: lab
      .events('rows')
      .map(({ id }) => String(id))
      .sort(),
    accounting: mergeAccounting([...engineOf(process).units.values()].map((unit) => unit.accounting)),
  };
}

describe.each(['kept', 'free'])('a letter that waits for an answer in an order that is %s', (order) => {
  it.each([false, true])('is linked to what fails of it, and nothing else is (crash: %s)', async (isCrashing) => {
    const [one, two, four] = [
      await ran(1, { order, isCrashing }),
      await ran(2, { order, isCrashing }),
      await ran(4, { order, isCrashing }),
    ];
    expect([one.asks, four.asks]).toEqual([1, 2]);
    expect(one.letters).toEqual([
      '["again","from",1,false,false]',
      '["again","from",2,true,true]',
      '["checked","from",1,false,false]',
    ]);
    expect(one.endings).toEqual([[true, { delivered: 1 }]]);
    expect(one.rows).toEqual(['slow', 'well']);
    const { asks: _, ...same } = one;
    expect(two).toMatchObject(same);
    expect(four).toMatchObject(same);
  });
});
