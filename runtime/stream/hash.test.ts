import { describe, expect, it } from 'vitest';
import { hashText } from './hash.ts';

describe('hashText', () => {
  it('is the same for ever', () => {
    expect([hashText(''), hashText('a'), hashText('b')]).toMatchInlineSnapshot(`
      [
        [
          3954623016,
          154229345,
        ],
        [
          264812503,
          910325696,
        ],
        [
          680324170,
          3361041810,
        ],
      ]
    `);
  });

  it('spreads numbered texts evenly over both halves', () => {
    const buckets = [new Array<number>(64).fill(0), new Array<number>(64).fill(0)];
    for (let number = 0; number < 64_000; number++) {
      hashText(`case-${number}`).forEach((half, which) => {
        const bucket = Math.floor(half / 2 ** 26);
        const counts = buckets[which] as number[];
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      });
    }
    for (const count of buckets.flat()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });
});
