/** A dead letter that goes in again in one stage, and fails in a later one: it stays linked to the first. */
import { describe, expect, it } from 'vitest';
import { mergeAccounting } from '../../stream/ledger.ts';
import type { SinkRow } from '../../stream/sink-definition.ts';
import { openLab } from '../../testing/engine-lab.ts';
import { bookOf, engineOf, redriveAll } from './book.fixture.ts';

/** What `tallied` gives is by hospital; `counted` wants all of it, and stands in a later stage where there are several partitions. */
const yaml = (checked: string, again: string) => `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  checked: { ${checked} }
  tally: { tallied: { from: checked } }
  counted: { numbered: { from: tally } }
  again: { ${again} }
sinks:
  rows: { collect: { from: again } }
`;

const refusing = (from: string) => `refuses: { from: ${from} }`;
const taking = (from: string) => `keep: { from: ${from}, min: 0 }`;

async function thrice(partitions: number) {
  const written: SinkRow[] = [];
  const tokens = new Set<string>();
  let isFull = true;
  const lab = openLab({
    topology: yaml(refusing('beats'), refusing('counted')),
    edges: {
      async write(_sink, rows, token) {
        // As the store does.
        if (tokens.has(token)) return [];
        tokens.add(token);
        const refused = rows.filter(({ event }) => isFull && event.hospital === 'H2');
        written.push(...rows.filter((row) => !refused.includes(row)));
        return refused.map((row) => ({ row, code: 'MACH3102', reason: 'too large' }));
      },
    },
  });
  const start = async (topology: string, acceptLoss: string[]) => lab.start({ topology, acceptLoss, partitions });
  const pulse = (hospital: string, value: number | null, second: number) => ({
    event: { id: `${hospital}-${second}`, hospital, value, patient: null },
    time: second * 1_000,
  });
  const first = await start(yaml(refusing('beats'), refusing('counted')), []);
  const events = [pulse('H1', null, 1), pulse('H2', null, 2), pulse('H3', 3, 3), pulse('H4', null, 4)];
  await lab.drive(first.source('beats').append({ origin: 'one', events }));
  await lab.settle(first);
  await lab.drive(engineOf(first).drain());
  // Through the first node now, they fail in the later stage.
  const second = await start(yaml(taking('beats'), refusing('counted')), ['checked']);
  await redriveAll(lab, engineOf(second).topology);
  await lab.settle(second);
  await lab.drive(engineOf(second).drain());
  // Mended there as well: the sink refuses one.
  const third = await start(yaml(taking('beats'), taking('counted')), ['checked', 'again']);
  await redriveAll(lab, engineOf(third).topology);
  await lab.settle(third);
  third.kill();
  isFull = false;
  const fourth = await start(yaml(taking('beats'), taking('counted')), ['checked', 'again']);
  await redriveAll(lab, engineOf(fourth).topology);
  await lab.settle(fourth);
  const { book } = await bookOf(lab);
  // Several partitions change their version at a mark, which takes a place in the log of its own: the order counts.
  const places = [...book.entries, ...written].map((one) => one.sequence).sort((a, b) => a - b);
  const placeOf = (sequence: number) => [...new Set(places)].indexOf(sequence);
  return {
    stages: engineOf(fourth).plan.stages,
    letters: book.entries
      .map(({ id, kind, node, attempts, first: of, previous, sequence }) => ({
        node: `${kind} ${node}`,
        attempts,
        isFirst: of === null,
        line: book.entries.findIndex((entry) => entry.id === (of ?? id)),
        follows: book.entries.find((entry) => entry.id === previous)?.node ?? null,
        place: placeOf(sequence),
      }))
      .map((one) => JSON.stringify({ ...one, line: placeOf(book.entries[one.line]?.sequence ?? 0) }))
      .sort(),
    endings: [...book.endings.values()].map((ending) => JSON.stringify(ending)).sort(),
    rows: written.map(({ event, sequence }) => JSON.stringify([placeOf(sequence), event.hospital, event.tally])).sort(),
    accounting: mergeAccounting([...engineOf(fourth).units.values()].map((unit) => unit.accounting)),
  };
}

describe('a letter that crosses to another stage', () => {
  it('stays linked to the first of its line, and counts its attempts, at any number of partitions', async () => {
    const one = await thrice(1);
    const four = await thrice(4);
    expect([one.stages, four.stages]).toEqual([1, 2]);
    const attemptsOf = (node: string) =>
      one.letters.filter((letter) => letter.includes(node)).map((letter) => JSON.parse(letter).attempts);
    expect(attemptsOf('operator checked')).toEqual([1, 1, 1]);
    expect(attemptsOf('operator again')).toEqual([2, 2, 2]);
    expect(attemptsOf('sink rows')).toEqual([3]);
    expect(one.letters.filter((letter) => letter.includes('"isFirst":true'))).toHaveLength(3);
    expect(four.letters).toEqual(one.letters);
    expect(four.endings).toEqual(one.endings);
    expect(four.rows).toEqual(one.rows);
    expect(four.accounting).toEqual(one.accounting);
  });
});
