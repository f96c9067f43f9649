import { describe, expect, it } from 'vitest';
import { eventComposer, listMaker, listMapper, listUpdater, rowsVisitor } from './compiled-lists.ts';
import { EventColumns } from './event-columns.ts';

const odd = ['"', "'];throw 1;//", '\u2028', '__proto__', 'a b', '${x}'];

describe('functions made for lists', () => {
  it('keep each slot to its own function', () => {
    expect(listMaker([() => 0, () => 'text'])()).toEqual([0, 'text']);
    expect(listMapper([(value) => Number(value) + 1, String])([1, 2])).toEqual([2, '2']);
    const list: unknown[] = [10, 'seen'];
    const update = listUpdater([
      (value, event) => Number(value) + Number(event.minutes),
      (value, _event, time) => `${value} at ${time}`,
    ]);
    update(list, { minutes: 5 }, 7);
    expect(list).toEqual([15, 'seen at 7']);
  });

  it('are made for no slots too', () => {
    expect(listMaker([])()).toEqual([]);
    expect(listMapper([])([])).toEqual([]);
    const list: unknown[] = [];
    listUpdater([])(list, {}, 0);
    expect(list).toEqual([]);
    expect(eventComposer([[]])([])).toEqual({});
  });

  it('compose events of lists, and take no more than has a name', () => {
    const compose = eventComposer([['key'], ['start', 'end'], []]);
    expect(compose(['H1'], [1, 2, 3], [4])).toEqual({ key: 'H1', start: 1, end: 2 });
  });

  it('visit fields in the order given, also the same one twice', () => {
    const seen: unknown[] = [];
    const visit = (value: unknown, target: unknown[]) => void target.push(value);
    const doubled = (value: unknown, target: unknown[]) => void target.push(Number(value) * 2);
    const fields = ['beds', 'hospital', 'beds', 'absent'].map((field, at) => ({
      field,
      visit: at === 2 ? doubled : visit,
    }));
    const rows = [{ hospital: 'H0' }, { hospital: 'H1', beds: 3 }, { hospital: 'H2', beds: 5 }];
    rowsVisitor(fields)(rows, [2, 1], seen);
    expect(seen).toEqual([5, 'H2', 10, undefined, 3, 'H1', 6, undefined]);
    const columns = new EventColumns(
      ['hospital', 'beds'],
      [
        ['H0', 'H1', 'H2'],
        [null, 3, 5],
      ],
      { offset: 1, length: 2 },
    );
    const again: unknown[] = [];
    rowsVisitor(fields)(columns, [1, 0], again);
    expect(again).toEqual([5, 'H2', 10, null, 3, 'H1', 6, null]);
    const values: unknown[] = [];
    const event = JSON.parse(JSON.stringify(Object.fromEntries(odd.map((name) => [name, `value of ${name}`]))));
    const named = odd.filter((name) => name !== '__proto__');
    rowsVisitor(named.map((field) => ({ field, visit })))([event], [0], values);
    expect(values).toEqual(named.map((name) => `value of ${name}`));
  });

  it('take every text for a name, and none for code', () => {
    const values = odd.map((name) => `value of ${name}`);
    const composed = eventComposer([['plain'], odd])([1], values);
    expect(Object.entries(composed)).toEqual([['plain', 1], ...odd.map((name, at) => [name, values[at]])]);
  });
});
