import { describe, expect, it } from 'vitest';
import type { CodeWriter } from './code.ts';
import { EventColumns, joinColumns, withColumns, withPart } from './event-columns.ts';
import { type BuildLoop, mapping, type Rows, rowLoopOf, selecting } from './row-loops.ts';
import type { Event } from './schema.ts';

const odd = ['"', "'];throw 1;//", '\u2028', '__proto__', 'a b', '${x}', 'constructor', 'row', 'columns'];

describe('events as columns', () => {
  const columns = new EventColumns(
    ['n', 'text'],
    [
      [1, 2, 3, 4],
      ['a', null, null, 'd'],
    ],
    { length: 4 },
  );

  it('are made into objects of which each is made once', () => {
    const middle = columns.slice(1, 4).slice(0, 2);
    expect(middle.pick([1], 1)).toEqual([{ n: 3, text: null }]);
    const { events } = middle;
    expect(events).toEqual([
      { n: 2, text: null },
      { n: 3, text: null },
    ]);
    expect(middle.events).toBe(events);
    expect(middle.pick([1], 1)[0]).toBe(events[1]);
  });

  it('are the same objects in a part, where those of the whole were made before', () => {
    const whole = new EventColumns(['n'], [[0, 1, 2, 3]], { offset: 1, length: 3 });
    const part = whole.slice(1, 3).slice(0, 2);
    const { events } = whole;
    expect(part.pick([1], 1)[0]).toBe(events[2]);
    expect(part.events[0]).toBe(events[1]);
    expect(part.events).toEqual([{ n: 2 }, { n: 3 }]);
  });

  it('give the values of a field, and null where none is there', () => {
    expect(columns.valuesOf('n')).toEqual([1, 2, 3, 4]);
    expect(columns.slice(1, 4).valuesOf('text')).toEqual([null, null, 'd']);
    expect(columns.slice(1, 3).valuesOf('text')).toBeNull();
    expect(columns.valuesOf('gone')).toBeNull();
  });

  it('are columns again when some are chosen, or when they are put one after the other', () => {
    const gathered = columns.slice(1, 4).gather(Uint32Array.of(0, 2), 2);
    expect(gathered.events).toEqual([
      { n: 2, text: null },
      { n: 4, text: 'd' },
    ]);
    const joined = joinColumns([columns.slice(3, 4), gathered, columns.slice(0, 1)]);
    expect(joined?.length).toBe(4);
    expect(joined?.events.map(({ n }) => n)).toEqual([4, 2, 4, 1]);
    expect(joinColumns([columns])).toBe(columns);
    expect(joinColumns([])).toBeUndefined();
    expect(joinColumns([columns, new EventColumns(['text', 'n'], [['e'], [5]], { length: 1 })])).toBeUndefined();
  });

  it('go on as a part of them, and objects as a part of theirs', () => {
    const whole = withColumns({}, columns);
    const part = withPart({ kind: 'part' }, whole, { from: 2, to: 4 });
    expect(part.columns?.length).toBe(2);
    expect(part).toMatchObject({ kind: 'part', events: [{ n: 3 }, { n: 4 }] });
    const objects = withPart({}, { events: whole.events }, { from: 2, to: 4 });
    expect(objects.columns).toBeUndefined();
    expect(objects.events).toEqual(part.events);
  });

  it('are given up by a copy, which has the objects', () => {
    const frame = withColumns({ kind: 'source' }, columns);
    expect(frame.columns).toBe(columns);
    const copy: { readonly events: readonly unknown[]; readonly columns?: EventColumns } = { ...frame };
    expect(copy.events).toBe(columns.events);
    expect(copy.columns).toBeUndefined();
    expect({ ...frame, events: [] }.events).toEqual([]);
  });

  describe('of which some go on', () => {
    const many = new EventColumns(
      ['n', 'text', 'half'],
      [
        [0, 1, 2, 3, 4, 5],
        ['a', null, 'c', 'd', null, 'f'],
        [0, 0.5, 1, null, 2, 2.5],
      ],
      { length: 6 },
    );
    const doubled = { name: 'twice', evaluate: ({ n }: Event) => 2 * (n as number), write: written };

    function written(code: CodeWriter): string {
      return `2 * ${code.field('n')}`;
    }

    it.each([
      ['of all', many, [1, 2, 4]],
      ['of a part', many.slice(2, 6), [0, 3]],
      ['of those chosen before', many.gather(Uint32Array.of(1, 3, 5), 3), [0, 2]],
      ['all of them', many, [0, 1, 2, 3, 4, 5]],
      ['all of a part', many.slice(1, 3), [0, 1]],
      ['none', many.slice(2, 6), []],
    ])('give the same as objects: %s', (_, from, places) => {
      const transform = mapping(['text', 'n', 'gone'], [doubled, { ...doubled, name: 'n' }]);
      const loop = rowLoopOf(transform) as BuildLoop;
      // Who chooses rows writes over their places with the next batch.
      const rows = Uint32Array.from([...places, 0, 0]);
      const columns = loop.buildColumns(from, rows, places.length);
      rows.fill(1);
      const expected = from.pick(places, places.length).map((event) => transform(event));
      expect(columns.length).toBe(places.length);
      expect(columns.events).toEqual(expected.map((event) => ({ ...event, gone: null })));
      expect(columns.valuesOf('text')).toEqual(
        expected.some((event) => event?.text) ? expected.map((event) => event?.text) : null,
      );
      expect(columns.slice(1, places.length).events).toEqual(columns.events.slice(1));
    });

    it('copy no field that nobody reads', () => {
      const reads: string[] = [];
      const spied = (name: string) =>
        new Proxy([1, 2, 3], {
          get(target, place) {
            if (typeof place === 'string' && /^\d+$/.test(place)) reads.push(name);
            return Reflect.get(target, place);
          },
        });
      const from = new EventColumns(['read', 'unread'], [spied('read'), spied('unread')], { length: 3 });
      const loop = rowLoopOf(mapping(['read', 'unread'], [])) as BuildLoop;
      const chosen = loop.buildColumns(from, Uint32Array.of(0, 2), 2);
      expect(chosen.valuesOf('read')).toEqual([1, 3]);
      expect(chosen.valuesOf('read')).toEqual([1, 3]);
      expect(reads).toEqual(['read', 'read']);
    });
  });

  it('take every name for a name, and none for code', () => {
    const named = new EventColumns(
      odd,
      odd.map((name) => [`value of ${name}`]),
      { length: 1 },
    );
    const [event] = named.events;
    expect(Object.keys(event ?? {})).toEqual(odd);
    const mapped = mapping(odd, [{ name: 'computed', evaluate: (from) => Object.keys(from).length }])(event ?? {});
    expect(Object.keys(mapped ?? {})).toEqual([...odd, 'computed']);
    expect(mapped?.computed).toBe(odd.length);
    const kept: Rows = new Uint32Array(1);
    for (const name of odd) {
      const transform = selecting({
        evaluate: (from) => from[name] === `value of ${name}`,
        write: (code) => `${code.field(name)} === ${code.constant(`value of ${name}`)}`,
      });
      expect(transform(event ?? {})).toBe(event);
      const over = rowLoopOf(transform);
      expect(over?.kind === 'select' && over.select(named, new Uint32Array(1), 1, kept)).toBe(1);
    }
  });
});
