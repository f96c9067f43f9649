import { describe, expect, it } from 'vitest';
import { isRight, latenciesOf, PhaseJudge } from './judge.ts';
import type { Seen } from './messages.ts';

/** Numbers 101 to 110; none of them is one that operators take out. */
const phase = { first: 101, count: 10, expected: 10, intendedOf: (index: number) => 5_000 + index };
const all = Array.from({ length: 10 }, (_, index) => index);

function look(indexes: readonly number[], shiftMs = 0): Seen {
  return {
    kind: 'seen',
    at: 1,
    queryMs: 1,
    numbers: Uint32Array.from(indexes, (index) => 101 + index),
    intended: Float64Array.from(indexes, (index) => 5_000 + index + shiftMs),
  };
}

describe('PhaseJudge', () => {
  it('finds nothing wrong with every row once', () => {
    const judge = new PhaseJudge(phase);
    judge.take(look(all.slice(0, 4)));
    judge.take(look(all.slice(4)));
    const verdict = judge.verdict({ rows: 10, distinct: 10 });
    expect(verdict).toEqual({ expected: 10, found: 10, missing: 0, twice: 0, unexpected: 0, altered: 0 });
    expect(isRight(verdict)).toBe(true);
  });

  it('counts a row that only the store, or only the poller, does not have as missing', () => {
    const unseen = new PhaseJudge(phase);
    unseen.take(look(all.slice(1)));
    expect(unseen.verdict({ rows: 10, distinct: 10 }).missing).toBe(1);
    const gone = new PhaseJudge(phase);
    gone.take(look(all));
    expect(gone.verdict({ rows: 9, distinct: 9 }).missing).toBe(1);
  });

  it('counts a row that is there twice, whoever saw it', () => {
    const judge = new PhaseJudge(phase);
    judge.take(look(all));
    expect(judge.verdict({ rows: 11, distinct: 10 }).twice).toBe(1);
    judge.take(look([3]));
    expect(judge.verdict({ rows: 10, distinct: 10 }).twice).toBe(1);
  });

  it('counts rows of other phases and rows that had to be filtered', () => {
    const judge = new PhaseJudge({ ...phase, first: 100 });
    // 100 is one that the topology filters out.
    judge.take({ ...look([]), numbers: Uint32Array.of(100, 999), intended: Float64Array.of(0, 0) });
    expect(judge.verdict({ rows: 0, distinct: 0 }).unexpected).toBe(2);
  });

  it('counts a row with another time than the one that was sent', () => {
    const judge = new PhaseJudge(phase);
    judge.take(look([0, 1], 1));
    const verdict = judge.verdict({ rows: 2, distinct: 2 });
    expect(verdict.altered).toBe(2);
    expect(isRight(verdict)).toBe(false);
  });
});

describe('latenciesOf', () => {
  it('takes the nearest rank of all values', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => 1_000 - index);
    expect(latenciesOf(values)).toEqual({ p50: 500, p90: 900, p95: 950, p99: 990, p99_9: 999, max: 1_000 });
  });
});
