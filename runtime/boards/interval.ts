/** The width of a bucket of a time series, as Grafana chooses it: the range over the points that fit, rounded to a round time. */
import { parseDuration } from '../stream/options.ts';

const roundMs = [
  1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_200_000, 1_800_000,
  3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000, 2_592_000_000,
];

/** `intervalMin`: of the panel, as `1m` or `>1m`. */
export function bucketMs(rangeMs: number, pointsMax: number, intervalMin?: string | null): number {
  const wanted = rangeMs / Math.max(pointsMax, 1);
  const round = roundMs.find((ms, index) => wanted < (ms + (roundMs[index + 1] ?? ms)) / 2) ?? 31_536_000_000;
  const least = intervalMin ? (parseDuration(intervalMin.replace(/^>\s*/, '')) ?? 0) : 0;
  return Math.max(round, least);
}
