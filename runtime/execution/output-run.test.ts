/** However runs are cut, their rows are the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventColumns, withColumns } from '../stream/event-columns.ts';
import { defineSchema, field } from '../stream/schema.ts';
import { decodeOutputRuns, encodeOutputFrame, encodeOutputRuns, type OutputRow } from './log-frame.ts';
import { behind, halvesOf, lastOf, type OutputRun, rowCount, rowsOf, runOf, splitRun } from './output-run.ts';

const schema = defineSchema({ n: field.int() });

const shape = fc.record({
  gap: fc.nat({ max: 2 }),
  rows: fc.integer({ min: 1, max: 4 }),
  redriven: fc.boolean(),
  asColumns: fc.boolean(),
});

/** Runs in order of (sequence, index), as a stage gives them. */
const runs = fc.array(shape, { minLength: 1, maxLength: 5 }).map((all) => {
  let [sequence, index, n] = [1, 0, 0];
  return all.map(({ gap, rows, redriven, asColumns }): OutputRun => {
    if (gap > 0) [sequence, index] = [sequence + gap, 0];
    const numbers = Array.from({ length: rows }, () => n++);
    const run = {
      times: Array.from({ length: rows }, (_, at) => n * 10 + at),
      sequence,
      index,
      acceptedAt: sequence * 5,
      ...(redriven && { redrive: { letter: `L${n}`, first: 'L0', attempts: 1 } }),
    };
    index += rows;
    if (asColumns) return withColumns(run, new EventColumns(['n'], [numbers], { length: rows }));
    return { ...run, events: numbers.map((number) => ({ n: number })) };
  });
});

describe('runs of rows', () => {
  it('are the same rows in two pieces, in halves, and in runs of one', () => {
    fc.assert(
      fc.property(runs, fc.nat({ max: 4 }), (all, at) => {
        const rows = rowsOf(all);
        expect(rowCount(all)).toBe(rows.length);
        expect(rowsOf(all.flatMap((run) => splitRun(run, Math.min(at, run.events.length))))).toEqual(rows);
        const halves = halvesOf(all);
        expect(halves.length).toBe(rows.length > 1 ? 2 : 0);
        expect(halves.every((half) => rowCount(half) < rows.length)).toBe(true);
        if (halves.length > 0) expect(rowsOf(halves.flat())).toEqual(rows);
        expect(rowsOf(rows.map(runOf))).toEqual(rows);
      }),
    );
  });

  it('behind a place are those rows that have a later one', () => {
    const isBehind = (row: OutputRow, place: { sequence: number; index: number }) =>
      row.sequence > place.sequence || (row.sequence === place.sequence && row.index > place.index);
    fc.assert(
      fc.property(runs, fc.nat(), (all, pick) => {
        const rows = rowsOf(all);
        const { sequence, index } = rows[pick % rows.length] as OutputRow;
        for (const place of [undefined, { sequence, index }]) {
          const left = all.flatMap((run) => behind(run, place) ?? []);
          expect(rowsOf(left)).toEqual(place ? rows.filter((row) => isBehind(row, place)) : rows);
        }
        const last = all.at(-1) as OutputRun;
        expect(behind(last, lastOf(last))).toBeUndefined();
      }),
    );
  });

  it('go through the log as they are, cut as they were or row by row', () => {
    fc.assert(
      fc.property(runs, (all) => {
        const rows = rowsOf(all);
        expect(rowsOf(decodeOutputRuns(encodeOutputRuns(schema, all), schema))).toEqual(rows);
        expect(encodeOutputFrame(schema, rows)).toEqual(encodeOutputRuns(schema, all));
      }),
    );
  });
});
