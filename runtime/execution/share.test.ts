import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { type Holding, sharePartitions } from './share.ts';

const sharesOf = (partitions: number, holdings: Record<string, number[]>) =>
  Object.fromEntries(
    sharePartitions(
      partitions,
      Object.entries(holdings).map(([worker, held]) => ({ worker, held })),
    ),
  );

describe('shares of partitions', () => {
  it('gives everything to the only worker', () => {
    expect(sharesOf(3, { A: [] })).toEqual({ A: [0, 1, 2] });
  });

  it('leaves the only partition where it is: the second worker stands by', () => {
    expect(sharesOf(1, { A: [], B: [0] })).toEqual({ A: [], B: [0] });
  });

  it('moves as few as possible when a worker joins', () => {
    expect(sharesOf(4, { A: [0, 1, 2, 3], B: [] })).toEqual({ A: [0, 1], B: [2, 3] });
    expect(sharesOf(5, { A: [0, 1, 2], B: [3, 4], C: [] })).toEqual({ A: [0, 1], B: [3, 4], C: [2] });
  });

  it('spreads what a dead worker held', () => {
    expect(sharesOf(4, { A: [0], B: [3], C: [] })).toEqual({ A: [0, 1], B: [3], C: [2] });
  });

  it('is fair, complete and stays as it is once it is so (500 seeds)', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = seededRandom(seed);
      const partitions = random.int(1, 20);
      let holdings: Holding[] = Array.from({ length: random.int(1, 8) }, (_, index) => ({
        worker: `w${index}`,
        held: Array.from({ length: partitions }, (_, partition) => partition).filter(() => random.chance(0.3)),
      }));
      const shares = sharePartitions(partitions, holdings);
      const sizes = [...shares.values()].map((share) => share.length);
      expect(Math.max(...sizes) - Math.min(...sizes), `seed ${seed}`).toBeLessThanOrEqual(1);
      const all = [...shares.values()].flat().sort((a, b) => a - b);
      expect(all, `seed ${seed}`).toEqual(Array.from({ length: partitions }, (_, index) => index));
      holdings = [...shares].map(([worker, held]) => ({ worker, held }));
      expect(sharePartitions(partitions, holdings), `seed ${seed}`).toEqual(shares);
    }
  });
});
