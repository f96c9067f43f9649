import { describe, expect, it } from 'vitest';
import { columnReader, eventMapper, eventsBuilder, fieldReader } from './compiled-access.ts';

const odd = ['"', "'];throw 1;//", '\u2028', '__proto__', 'a b', '${x}'];

describe('functions made for names', () => {
  it('take every text for a name, and none for code', () => {
    const columns = odd.map((name) => [`value of ${name}`]);
    const [event] = eventsBuilder(odd)(columns, 1);
    expect(Object.keys(event ?? {})).toEqual(odd);
    for (const name of odd) {
      expect(fieldReader(name)(event ?? {})).toBe(`value of ${name}`);
      expect(columnReader(name)([event ?? {}])).toEqual([`value of ${name}`]);
    }
    const mapped = eventMapper(odd, [{ name: 'computed', evaluate: (from) => Object.keys(from).length }])(event ?? {});
    expect(Object.keys(mapped)).toEqual([...odd, 'computed']);
    expect(mapped.computed).toBe(odd.length);
  });

  it('give null for what is absent', () => {
    expect(fieldReader('gone')({})).toBeNull();
    expect(columnReader('gone')([{}, { gone: null }])).toBeNull();
    expect(columnReader('gone')([{}, { gone: 0 }])).toEqual([null, 0]);
  });
});
