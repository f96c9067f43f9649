import { describe, expect, it } from 'vitest';
import {
  columnAccess,
  columnReader,
  eventCompleter,
  eventExtender,
  eventJoiner,
  fieldReader,
  fieldsReader,
} from './compiled-access.ts';

const odd = ['"', "'];throw 1;//", '\u2028', '__proto__', 'a b', '${x}'];

describe('functions made for names', () => {
  it('take every text for a name, and none for code', () => {
    const columns = odd.map((name) => [`value of ${name}`]);
    const [event] = columnAccess(odd).build(columns, 0, 1);
    expect(Object.keys(event ?? {})).toEqual(odd);
    for (const name of odd) {
      expect(fieldReader(name)(event ?? {})).toBe(`value of ${name}`);
      expect(columnReader(name)([event ?? {}])).toEqual([`value of ${name}`]);
    }
    const values = odd.map((name) => `value of ${name}`);
    expect(fieldsReader(odd)(event ?? {})).toEqual(values);
    expect(Object.entries(eventExtender([], odd)({}, values))).toEqual(odd.map((name, at) => [name, values[at]]));
    expect(Object.keys(eventExtender(odd, ['added'])(event ?? {}, null))).toEqual([...odd, 'added']);
    const taken = odd.map((from) => ({ from, to: `right ${from}` }));
    expect(Object.entries(eventJoiner([], taken)({}, event ?? {}))).toEqual(
      taken.map(({ to }, at) => [to, values[at]] as const),
    );
    expect(Object.keys(eventJoiner(odd, taken)(event ?? {}, null))).toEqual([...odd, ...taken.map(({ to }) => to)]);
    expect(Object.keys(eventCompleter(odd)([{}])[0] ?? {})).toEqual(odd);
  });

  it('give null for what is absent', () => {
    expect(fieldReader('gone')({})).toBeNull();
    expect(columnReader('gone')([{}, { gone: null }])).toBeNull();
    expect(columnReader('gone')([{}, { gone: 0 }])).toEqual([null, 0]);
    expect(fieldsReader(['here', 'gone'])({ here: 1 })).toEqual([1, null]);
    expect(eventExtender(['here'], ['added'])({ here: 1, more: 2 }, null)).toEqual({ here: 1, added: null });
    expect(eventExtender(['here'], ['added'])({ here: 1, more: 2 }, [3])).toEqual({ here: 1, added: 3 });
  });

  it('join two events, with nulls for what the other lacks', () => {
    const taken = [
      { from: 'here', to: 'right_here' },
      { from: 'gone', to: 'right_gone' },
    ];
    const join = eventJoiner(['here'], taken);
    expect(join({ here: 1, more: 2 }, { here: 3, more: 4 })).toEqual({ here: 1, right_here: 3, right_gone: null });
    expect(join({ here: 1 }, null)).toEqual({ here: 1, right_here: null, right_gone: null });
  });

  it('leave events as they are when they lack nothing', () => {
    const whole = [{ here: 1 }, { here: null }];
    expect(eventCompleter(['here'])(whole)).toBe(whole);
    expect(eventCompleter(['here', 'gone'])([{ here: 1 }])).toEqual([{ here: 1, gone: null }]);
  });
});
