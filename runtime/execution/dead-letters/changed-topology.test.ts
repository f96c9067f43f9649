/** Letters of a version before, redriven by somebody who has its file still: what has no place any more is a letter again, at any number of partitions. */
import { describe, expect, it } from 'vitest';
import { isBalanced, mergeAccounting } from '../../stream/ledger.ts';
import { openLab } from '../../testing/engine-lab.ts';
import { bookOf, engineOf, redriveAll } from './book.fixture.ts';

/** `late` stands in a later stage where there are several partitions. */
const old = `version: 1
name: lab
sources:
  beats: { pulses: {} }
  others: { pulses: {} }
operators:
  early: { refuses: { from: beats } }
  first: { tallied: { from: others } }
  counted: { numbered: { from: first } }
  late: { refuses: { from: counted } }
sinks:
  rows: { collect: { from: early, table: rows } }
  late_rows: { collect: { from: late, table: late_rows } }
`;
const changes: Record<string, (text: string) => string> = {
  nothing: (text) => text,
  'other options': (text) =>
    text
      .replace('refuses: { from: beats }', 'keep: { from: beats, min: 0 }')
      .replace('refuses: { from: counted }', 'keep: { from: counted, min: 0 }'),
  'other inputs': (text) =>
    text
      .replace('refuses: { from: beats }', 'merged: { left: beats, right: others }')
      .replace('refuses: { from: counted }', 'merged: { left: counted, right: counted }'),
  'no such operators': (text) => text.replaceAll('early', 'early2').replaceAll('late', 'late2'),
  'other sinks': (text) => text.replace('  rows:', '  rows2:').replace('  late_rows:', '  late_rows2:'),
  'another stage': (text) =>
    text.replace('late: { refuses: { from: counted } }', 'late: { refuses: { from: others } }'),
  'fewer fields': (text) => text.replace('late: { refuses: { from: counted } }', 'late: { refuses: { from: first } }'),
};

async function ran(partitions: number, next: string) {
  let isFull = true;
  const tokens = new Set<string>();
  const lab = openLab({
    topology: old,
    edges: {
      async write(_sink, rows, token) {
        if (tokens.has(token)) return [];
        tokens.add(token);
        const refused = rows.filter(({ event }) => isFull && event.hospital === 'H3');
        return refused.map((row) => ({ row, code: 'MACH3102', reason: 'too large' }));
      },
    },
  });
  const first = await lab.start({ partitions });
  for (const source of ['beats', 'others']) {
    const events = [1, 2, 3, 4].map((hospital) => ({
      event: { id: `${source}${hospital}`, hospital: `H${hospital}`, value: hospital % 2 ? 1 : null, patient: null },
      time: hospital * 1_000,
    }));
    const letter = { code: 'MACH9901', reason: 'not a pulse', raw: Buffer.from('x H9 1 1'), place: { line: 1 } };
    await lab.drive(first.source(source).append({ origin: source, events, deadLetters: [letter] }));
  }
  await lab.settle(first);
  await lab.drive(engineOf(first).drain());
  isFull = false;
  const acceptLoss = ['early', 'first', 'counted', 'late'];
  const process = await lab.start({ topology: next, acceptLoss, partitions });
  const { book } = await bookOf(lab);
  await redriveAll(lab, lab.topology);
  await lab.settle(process);
  process.kill();
  const again = await lab.start({ topology: next, acceptLoss, partitions });
  await lab.settle(again);
  const { book: after } = await bookOf(lab);
  const accounting = mergeAccounting([...engineOf(again).units.values()].map((unit) => unit.accounting));
  expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
  const nodeOf = (id: string | null) => {
    const entry = after.entries.find((one) => one.id === id);
    return entry ? `${entry.kind} ${entry.node} ${entry.attempts}` : null;
  };
  return {
    before: book.entries.length,
    letters: after.entries
      .map(({ id, code, input, reason, previous, first: of }) =>
        JSON.stringify([nodeOf(id), code, input, reason, nodeOf(previous), nodeOf(of)]),
      )
      .sort(),
    endings: [...after.endings].map(([id, ending]) => JSON.stringify([nodeOf(id), ending])).sort(),
    rows: [...new Set(['rows', 'late_rows', 'rows2', 'late_rows2'])].map((sink) =>
      lab
        .events(sink)
        .map((event) => JSON.stringify(event))
        .sort(),
    ),
    accounting,
  };
}

describe.each(Object.entries(changes))('letters of a version before, with %s', (_, change) => {
  it('have the same fate at any number of partitions', async () => {
    const one = await ran(1, change(old));
    expect(one.before).toBe(8);
    // Each has ended, once.
    expect(one.endings).toHaveLength(8);
    for (const partitions of [2, 4]) expect(await ran(partitions, change(old))).toEqual(one);
  });
});
