/** Offsets of time zones, from the time zone database that comes with Node.js. */
import { didYouMean } from '../../did-you-mean.ts';
import { timestampMax } from '../arithmetic.ts';
import type { Misfit } from './define.ts';

/** Offsets change at most at quarters of an hour (in force since 1972), so one look-up serves a whole quarter. */
const quarterMs = 900_000;
/** Quarters remembered of one zone: 40 days. */
const quartersMax = 4_096;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly offsets: Map<number, number>;
  quarter: number;
  offsetMs: number;
}

const zones = new Map<string, Zone>();

export function zoneProblem(name: string): Misfit | undefined {
  if (open(name)) return undefined;
  // The list has this zone under the name that it had until 1993 only.
  const meant = didYouMean(name, ['Asia/Ho_Chi_Minh', 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  return {
    reason: `"${name}" is not a time zone, such as "Asia/Ho_Chi_Minh"`,
    suggestion: meant === undefined ? undefined : JSON.stringify(meant),
  };
}

function open(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      hourCycle: 'h23',
    });
    const zone: Zone = { format, offsets: new Map(), quarter: Number.NaN, offsetMs: 0 };
    zones.set(name, zone);
    return zone;
  } catch {
    return undefined;
  }
}

/** Offset of local time from UTC in ms at a moment; null outside of the calendar. */
export function offsetOf(name: string, time: number): number | null {
  if (name === 'UTC') return Math.abs(time) <= timestampMax ? 0 : null;
  const zone = open(name);
  if (!zone || !(Math.abs(time) <= timestampMax)) return null;
  const quarter = Math.floor(time / quarterMs);
  if (quarter === zone.quarter) return zone.offsetMs;
  let offsetMs = zone.offsets.get(quarter);
  if (offsetMs === undefined) {
    offsetMs = measure(zone.format, quarter * quarterMs);
    if (zone.offsets.size >= quartersMax) zone.offsets.clear();
    zone.offsets.set(quarter, offsetMs);
  }
  zone.quarter = quarter;
  zone.offsetMs = offsetMs;
  return offsetMs;
}

function measure(format: Intl.DateTimeFormat, time: number): number {
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(time)) parts[type] = value;
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
  const date = new Date(0);
  date.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  date.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
  return date.getTime() - time;
}
