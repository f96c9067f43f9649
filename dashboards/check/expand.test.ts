/** Macros and variables of queries, as the plugin expands them. */
import { describe, expect, it } from 'vitest';
import { expandQuery } from './expand.ts';

const options = { from: 1_772_409_600_000, to: 1_772_413_200_500, intervalMs: 60_000 };

describe('expandQuery', () => {
  it.each([
    ['$__fromTime', 'toDateTime(1772409600)'],
    ['$__toTime', 'toDateTime(1772413200)'],
    [
      '$__timeFilter_ms(minute)',
      'minute >= fromUnixTimestamp64Milli(1772409600000) AND minute <= fromUnixTimestamp64Milli(1772413200500)',
    ],
    ['$__timeInterval_ms(at)', 'toStartOfInterval(toDateTime64(at, 3), INTERVAL 60000 millisecond)'],
    ['1 / $__interval_s', '1 / 60'],
    ['$__conditionalAll(hospital IN (${hospital:singlequote}), $hospital)', '1=1'],
  ])('%s', (sql, expanded) => {
    expect(expandQuery(sql, options)).toBe(expanded);
  });

  it('quotes what is chosen', () => {
    const sql = '$__conditionalAll(hospital IN (${hospital:singlequote}), $hospital)';
    const chosen = { hospital: ['H1', "H'2"] };
    expect(expandQuery(sql, { ...options, chosen })).toBe("hospital IN ('H1','H\\'2')");
  });

  it.each([
    ['$__timeFilter(minute)', /use no macro \$__timeFilter/],
    ['$__timeFilter_ms(minute', /bracket is not closed/],
    ["hospital = '$hospital'", /is left in the query/],
    ['hospital IN (${hospital:singlequote})', /outside of/],
  ])('refuses %s', (sql, problem) => {
    expect(() => expandQuery(sql, options)).toThrow(problem);
  });
});
