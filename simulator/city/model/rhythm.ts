/**
 * Rhythms: how many come in an hour of a day of the week, in the city's time (UTC+7, no summer time).
 *
 * The curve of emergency arrivals has the usual shape of the literature (McCarthy et al., Acad Emerg Med 2008;15:337; the
 * hourly data of English departments): lowest at 4 to 5, a steep rise from 7, highest at 10 to 11, a second hump in the
 * evening; Monday about 10 % above the mean.
 */
import type { Random } from '../random.ts';

export const cityOffsetMs = 7 * 3_600_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const edHours = [
  0.55, 0.45, 0.38, 0.33, 0.31, 0.36, 0.54, 0.83, 1.15, 1.4, 1.52, 1.5, 1.4, 1.33, 1.32, 1.32, 1.33, 1.35, 1.38, 1.42,
  1.36, 1.22, 1.0, 0.75,
] as const;
const callHours = [
  0.72, 0.6, 0.52, 0.47, 0.47, 0.55, 0.75, 0.98, 1.12, 1.2, 1.22, 1.2, 1.13, 1.08, 1.08, 1.12, 1.2, 1.32, 1.35, 1.32,
  1.25, 1.15, 1.02, 0.88,
] as const;
const wardDischargeHours = [
  0, 0, 0, 0, 0, 0, 0.1, 0.3, 0.9, 2.2, 3.4, 3.2, 1.6, 1.8, 3.0, 3.2, 2.2, 1.2, 0.5, 0.2, 0.1, 0, 0, 0,
];
const electiveHours = [0, 0, 0, 0, 0, 0, 0.8, 4.2, 5.2, 4.2, 2.6, 1.2, 0.6, 2.2, 1.8, 0.9, 0.3, 0, 0, 0, 0, 0, 0, 0];

/** From Sunday. */
const edDays = [0.97, 1.1, 1.02, 0.99, 0.98, 0.98, 0.96] as const;
const callDays = [0.98, 1.03, 0.99, 0.98, 0.99, 1.02, 1.01] as const;
const wardDays = [0.45, 1.12, 1.12, 1.12, 1.14, 1.2, 0.85] as const;
const electiveDays = [0.15, 1.5, 1.3, 1.25, 1.2, 1.05, 0.55] as const;

export interface Rhythm {
  /** The rate at a time over the mean rate. */
  factor(time: number): number;
  readonly highest: number;
}

function rhythm(hours: readonly number[], days: readonly number[]): Rhythm {
  const hourMean = hours.reduce((sum, value) => sum + value, 0) / 24;
  const dayMean = days.reduce((sum, value) => sum + value, 0) / 7;
  const scale = 1 / (hourMean * dayMean);
  return {
    highest: Math.max(...hours) * Math.max(...days) * scale,
    factor(time) {
      const local = time + cityOffsetMs;
      const day = (Math.floor(local / dayMs) + 4) % 7;
      const hour = (local % dayMs) / hourMs;
      const whole = Math.floor(hour);
      const from = hours[whole] ?? 0;
      const to = hours[(whole + 1) % 24] ?? 0;
      return (from + (to - from) * (hour - whole)) * (days[day] ?? 1) * scale;
    },
  };
}

export const rhythms = {
  ed: rhythm(edHours, edDays),
  calls: rhythm(callHours, callDays),
  wardDischarges: rhythm(wardDischargeHours, wardDays),
  electives: rhythm(electiveHours, electiveDays),
} as const;

/** Hour of the day in the city, 0 to 23.99. */
export function cityHour(time: number): number {
  return ((time + cityOffsetMs) % dayMs) / hourMs;
}

/**
 * The next time of a Poisson process whose rate follows a rhythm, by thinning (Lewis and Shedler 1979).
 * `boost` multiplies the rate; `boostMax` is its bound.
 */
export function nextOccurrence(
  random: Random,
  process: { rhythm: Rhythm; perDay: number; boost?: (time: number) => number; boostMax?: number },
  after: number,
): number {
  const { rhythm: shape, perDay, boost = () => 1, boostMax = 1 } = process;
  const meanGapMs = dayMs / (perDay * shape.highest * boostMax);
  let time = after;
  do {
    time += random.exponential(meanGapMs);
  } while (random.float() * shape.highest * boostMax > shape.factor(time) * boost(time));
  return time;
}
