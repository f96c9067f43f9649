/** Right or wrong, and how late: what was sent, held against what was read. */
import type { Seen } from './messages.ts';
import { isKept } from './workload.ts';

export interface Verdict {
  readonly expected: number;
  readonly found: number;
  /** Sent, kept by every operator, and not in a table. */
  readonly missing: number;
  /** Rows beyond the first of an event. */
  readonly twice: number;
  /** Rows of events that an operator had to take out, or that were never sent. */
  readonly unexpected: number;
  /** Rows whose intended time is not the one that was sent. */
  readonly altered: number;
}

export function isRight({ missing, twice, unexpected, altered }: Verdict): boolean {
  return missing + twice + unexpected + altered === 0;
}

/** Numbers `first` to `first + count - 1` of one phase. */
export class PhaseJudge {
  /** Monotonic ms when the row was first seen; NaN before. */
  readonly seenAt: Float64Array;
  readonly expected: number;
  readonly queryMs: number[] = [];
  private readonly first: number;
  private readonly intendedOf: ((index: number) => number) | undefined;
  private found = 0;
  private unexpected = 0;
  private twice = 0;
  private altered = 0;

  /** `intendedOf`: ms since the epoch that the row of the phase's n-th number must have. */
  constructor(args: { first: number; count: number; expected: number; intendedOf?: (index: number) => number }) {
    this.first = args.first;
    this.intendedOf = args.intendedOf;
    this.seenAt = new Float64Array(args.count).fill(Number.NaN);
    this.expected = args.expected;
  }

  take({ at, queryMs, numbers, intended }: Seen): void {
    this.queryMs.push(queryMs);
    for (let row = 0; row < numbers.length; row++) {
      const number = numbers[row] as number;
      const index = number - this.first;
      if (!(index >= 0 && index < this.seenAt.length) || !isKept(number)) {
        this.unexpected++;
      } else if (Number.isNaN(this.seenAt[index])) {
        this.seenAt[index] = at;
        this.found++;
        if (this.intendedOf && this.intendedOf(index) !== intended[row]) this.altered++;
      } else {
        this.twice++;
      }
    }
  }

  /** `stored`: rows of the phase's numbers as the store counts them, whatever the poller saw. */
  verdict(stored: { rows: number; distinct: number }): Verdict {
    return {
      expected: this.expected,
      found: stored.distinct,
      missing: Math.max(this.expected - stored.distinct, this.expected - this.found),
      twice: Math.max(stored.rows - stored.distinct, this.twice),
      unexpected: this.unexpected,
      altered: this.altered,
    };
  }
}

export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** Exact: every value is kept and sorted; nearest rank. */
export function latenciesOf(values: readonly number[]): Latencies {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) =>
    Math.round((sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN) * 10) / 10;
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), p99_9: at(0.999), max: at(1) };
}
