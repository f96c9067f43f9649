import { describe, expect, it } from 'vitest';
import { expandMacros } from './macros.ts';

const context = {
  from: 1_700_000_000_500,
  to: 1_700_003_600_000,
  intervalMs: 90_000,
  isAll: (name: string) => name === 'hospital',
};
const expand = (sql: string) => expandMacros(sql, context);

describe('macros of the ClickHouse plugin', () => {
  it.each([
    ['$__fromTime', 'toDateTime(1700000000)'],
    ['$__toTime()', 'toDateTime(1700003600)'],
    ['$__fromTime_ms', 'fromUnixTimestamp64Milli(1700000000500)'],
    ['$__timeFilter(at)', 'at >= toDateTime(1700000000) AND at <= toDateTime(1700003600)'],
    [
      '$__timeFilter_ms(t.at)',
      't.at >= fromUnixTimestamp64Milli(1700000000500) AND t.at <= fromUnixTimestamp64Milli(1700003600000)',
    ],
    ['$__dateFilter(day)', "day >= toDate('2023-11-14') AND day <= toDate('2023-11-14')"],
    [
      '$__dateTimeFilter(day, at)',
      "(day >= toDate('2023-11-14') AND day <= toDate('2023-11-14')) AND (at >= toDateTime(1700000000) AND at <= toDateTime(1700003600))",
    ],
    ['$__timeInterval(at)', 'toStartOfInterval(toDateTime(at), INTERVAL 90 second)'],
    ['$__timeInterval_ms(at)', 'toStartOfInterval(toDateTime64(at, 3), INTERVAL 90000 millisecond)'],
    ['$__timeGroup(at, 5m)', 'toStartOfInterval(toDateTime(at), INTERVAL 300 second)'],
    ['INTERVAL $__interval_s SECOND', 'INTERVAL 90 SECOND'],
    ['$__conditionalAll(hospital IN (${hospital:singlequote}), $hospital)', '1=1'],
    ['$__conditionalAll(f(a, b) = 1, ${centre:csv})', 'f(a, b) = 1'],
    [
      "$__timeFilter(parse('a,)', x))",
      "parse('a,)', x) >= toDateTime(1700000000) AND parse('a,)', x) <= toDateTime(1700003600)",
    ],
    ['$__conditionalAll($__timeFilter(at), $centre)', 'at >= toDateTime(1700000000) AND at <= toDateTime(1700003600)'],
    ['$__from $__interval_ms', '$__from $__interval_ms'],
  ])('%s', (sql, expanded) => {
    expect(expand(sql)).toBe(expanded);
  });

  it.each([
    ['$__timeFiltr(at)', 'there is no macro $__timeFiltr'],
    ['$__timeFilter(a, b)', '$__timeFilter takes 1 arguments, and has 2'],
    ['$__timeFilter(a', 'not closed'],
    ['$__timeGroup(a, often)', 'not a duration'],
  ])('refuses %s', (sql, reason) => {
    expect(() => expand(sql)).toThrow(reason);
    expect(() => expand(sql)).toThrow(expect.objectContaining({ code: 'MACH3303' }));
  });
});
