import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentValues } from './recent-values.ts';

it('keeps the newest, in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer(), fc.nat(30))),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(30),
      (given, countMax, asked) => {
        const recent = new RecentValues(countMax);
        for (const [value, times] of given) recent.add(value, times);
        const kept = given.flatMap(([value, times]) => Array.from({ length: times }, () => value)).slice(-countMax);
        expect(recent.newest()).toEqual(kept);
        expect(recent.newest(asked)).toEqual(asked === 0 ? [] : kept.slice(-asked));
      },
    ),
  );
});
