import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventColumns } from '../stream/event-columns.ts';
import { mapping, type Rows, rowLoopOf, selecting } from '../stream/row-loops.ts';
import type { Event } from '../stream/schema.ts';
import { event as example, schema } from './fixtures.ts';
import { type Compiled, compileExpression } from './index.ts';

const conditions = [
  'kind == "arrival"',
  'kind != "arrival" || urgent',
  'minutes > 240 && kind == "arrival" && ward != null',
  'minutes >= beds && score < 7.5',
  'ward in ["A", "B"] || hospital in codes',
  'ward == hospital',
  'hospital < ward',
  'raw == place || !urgent',
  'has(ward) && size(codes) > 1',
  'raw.PV1.beds[minutes] == codes[beds]',
  'hospital.matches("^(H|K)[0-9]+$")',
];
const computations = [
  'minutes * 2 + beds / score',
  '-minutes % 7',
  'kind == "arrival" ? ward : hospital',
  'coalesce(ward, hospital)',
  'hospital + "/" + ward',
  'hour(at, "Asia/Ho_Chi_Minh")',
  'date(at - waited, "UTC")',
  'max(minutes, beds, 3)',
  'string(raw)',
  'ward',
];

function compile(source: string, wanted: 'bool' | 'any'): Compiled {
  const compiled = compileExpression(source, schema, { wanted });
  if (!compiled.ok) throw new Error(`${source}: ${compiled.problems.map(({ message }) => message).join('; ')}`);
  return compiled;
}

const names = Object.keys(schema.fields);
const fitting: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('arrival', 'discharge'),
  hospital: fc.constantFrom('H1', 'K2', 'A', ''),
  minutes: fc.integer({ min: -500, max: 500 }),
  beds: fc.integer({ min: -2, max: 2 }),
  score: fc.constantFrom(0, -0, 7.5, 1e300),
  ward: fc.constantFrom(null, 'A', 'B', 'C'),
  urgent: fc.constantFrom(null, true, false),
  at: fc.integer({ min: 0, max: 2e12 }),
  waited: fc.integer({ min: 0, max: 1e9 }),
  codes: fc.subarray(['A', 'H1', 'K2']),
  loads: fc.array(fc.nat(9), { maxLength: 3 }),
  place: fc.constant(example.place),
  raw: fc.constantFrom(example.raw, example.place, null, 4),
});
const any = fc.record(
  Object.fromEntries(
    names.map((name) => [name, fc.oneof(fc.constantFrom(...Object.values(example)), fc.constant(null))]),
  ),
) as fc.Arbitrary<Event>;

/** Some rows of events, as columns with others before and behind them. */
const given = fc.record({
  events: fc.array(fc.oneof(fitting, any), { minLength: 1, maxLength: 12 }),
  before: fc.nat(3),
  behind: fc.nat(3),
});

function columnsOf({ events, before, behind }: { events: readonly Event[]; before: number; behind: number }) {
  const all = [
    ...Array.from({ length: before }, () => example),
    ...events,
    ...Array.from({ length: behind }, () => example),
  ];
  const columns = names.map((name) => all.map((event) => event[name] ?? null));
  return new EventColumns(names, columns, { length: all.length }).slice(before, before + events.length);
}

/** What is absent is null in columns. */
const complete = (event: Event | null) =>
  Object.fromEntries(Object.entries(event ?? {}).map(([name, value]) => [name, value ?? null]));

describe('expressions over columns', () => {
  it('choose the rows whose objects they choose', () => {
    const selects = conditions.map((source) => {
      const transform = selecting(compile(source, 'bool'));
      return { source, transform, over: rowLoopOf(transform) };
    });
    fc.assert(
      fc.property(given, (rows) => {
        const everyOther = Uint32Array.from(rows.events.keys()).filter((row) => row % 2 === 0);
        for (const { source, transform, over } of selects) {
          if (over?.kind !== 'select') throw new Error(`${source} does not run over columns`);
          expect(over.overColumns, source).toBe(true);
          const expected = [...everyOther].filter((row) => transform(rows.events[row] as Event) !== null);
          for (const events of [columnsOf(rows), rows.events]) {
            const kept: Rows = new Uint32Array(everyOther.length);
            const count = over.select(events, everyOther, everyOther.length, kept);
            expect([...kept.subarray(0, count)], source).toEqual(expected);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('make of rows what they make of their objects', () => {
    const computed = computations.map((source, at) => ({ ...compile(source, 'any'), name: `f${at}` }));
    const transform = mapping(['hospital', 'raw'], computed);
    const over = rowLoopOf(transform);
    if (over?.kind !== 'build') throw new Error('the map does not run over columns');
    fc.assert(
      fc.property(given, (rows) => {
        const odd = Uint32Array.from(rows.events.keys()).filter((row) => row % 2 === 1);
        const made = over.build(columnsOf(rows), odd, odd.length);
        const expected = [...odd].map((row) => transform(rows.events[row] as Event));
        expect(made).toEqual(expected);
        expect(over.build(rows.events, odd, odd.length)).toEqual(expected);
        const { events } = over.buildColumns(columnsOf(rows), odd, odd.length);
        expect(events.map(complete)).toEqual(expected.map(complete));
        for (const [at, row] of odd.entries())
          for (const { name, evaluate } of computed)
            expect(made[at]?.[name]).toEqual(evaluate(rows.events[row] as Event));
      }),
      { numRuns: 500 },
    );
  });

  it('are left to objects where a part is a function of the whole event', () => {
    for (const source of ['codes.exists(c, c == ward)', 'event.codes.all(c, c != "")']) {
      const transform = selecting(compile(source, 'bool'));
      const over = rowLoopOf(transform);
      if (over?.kind !== 'select') throw new Error(`${source} does not run over objects`);
      expect(over.overColumns).toBe(false);
      fc.assert(
        fc.property(given, ({ events }) => {
          const every = Uint32Array.from(events.keys());
          const kept: Rows = new Uint32Array(events.length);
          const count = over.select(events, every, events.length, kept);
          const expected = [...every].filter((row) => transform(events[row] as Event) !== null);
          expect([...kept.subarray(0, count)], source).toEqual(expected);
        }),
      );
    }
    const over = rowLoopOf(mapping([], [{ ...compile('codes.map(c, c + "x")', 'any'), name: 'c' }]));
    expect(over?.overColumns).toBe(false);
    expect(over?.kind === 'build' && over.build([example], new Uint32Array(1), 1)).toEqual([
      { c: (example.codes as string[]).map((code) => `${code}x`) },
    ]);
  });

  it('take no text of an expression for code', () => {
    const hostile = ['"', "');throw 1;//", '\u2028', '`${1}`', '\\'];
    for (const text of hostile) {
      const transform = selecting(compile(`hospital == ${JSON.stringify(text)}`, 'bool'));
      expect(transform({ ...example, hospital: text })).not.toBeNull();
      expect(transform(example)).toBeNull();
    }
  });
});
