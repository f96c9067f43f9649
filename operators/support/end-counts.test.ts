import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EndCounts } from './end-counts.ts';

const time = fc.integer({ min: -5_000, max: 20_000 });
const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const), time }) },
);

it('counts what has ended, in whole seconds, and each thing once', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const counts = new EndCounts();
      let open: number[] = [];
      for (const one of moves) {
        if (one.kind === 'add') {
          counts.add(one.time);
          open.push(one.time);
          continue;
        }
        const isOver = (end: number) => (Math.floor(end / 1_000) + 1) * 1_000 <= one.time + 1;
        expect(counts.takeUntil(one.time)).toBe(open.filter(isOver).length);
        open = open.filter((end) => !isOver(end));
      }
      expect(counts.takeUntil(Number.POSITIVE_INFINITY)).toBe(open.length);
      counts.add(1);
      counts.clear();
      expect(counts.takeUntil(Number.POSITIVE_INFINITY)).toBe(0);
    }),
  );
});
