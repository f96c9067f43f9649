/** What checks put in place of variables. */
import { describe, expect, it } from 'vitest';
import { expandQuery } from './expand.ts';

const options = { from: 1_772_409_600_000, to: 1_772_413_200_500, intervalMs: 60_000 };
const sql = '$__conditionalAll(hospital IN (${hospital:singlequote}), $hospital)';

describe('expandQuery', () => {
  it('fills in the range', () => {
    expect(expandQuery('$__fromTime < $__toTime', options)).toBe('toDateTime(1772409600) < toDateTime(1772413200)');
  });

  it('takes All where nothing is chosen, and quotes what is', () => {
    expect(expandQuery(sql, options)).toBe('1=1');
    expect(expandQuery(sql, { ...options, chosen: { hospital: ['H1', "H'2"] } })).toBe("hospital IN ('H1','H\\'2')");
  });

  it.each([
    '$__timeFilters(minute)',
    '$__timeFilter_ms(minute',
    "hospital = '$hospital'",
    'hospital IN (${hospital:singlequote})',
  ])('refuses %s', (wrong) => {
    expect(() => expandQuery(wrong, options)).toThrow(expect.objectContaining({ code: 'MACH3303' }));
  });
});
