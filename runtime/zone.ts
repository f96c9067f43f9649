/** Offsets of time zones, from the time zone database that comes with Node.js. */

/** What ECMAScript's calendar covers, ms from 1970, less two days, so that every time zone has a local time for it. */
export const timestampMax = 8.64e15 - 2 * 86_400_000;

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

/** Whether there is a zone of this name (IANA), such as `Asia/Ho_Chi_Minh`. */
export function isZone(name: string): boolean {
  return open(name) !== undefined;
}

/** Local time less UTC at a moment, ms; null outside of the calendar, and for a name that is no zone. */
export function zoneOffsetMs(name: string, time: number): number | null {
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

/** The moment at which clocks of a zone show `local` (the local time written as if it were UTC, ms). The zone must be one. */
export function localToUtc(local: number, zone: string): number {
  // Twice, as the first guess may lie on the other side of a change of the clocks.
  const guess = local - (zoneOffsetMs(zone, local) ?? Number.NaN);
  return local - (zoneOffsetMs(zone, guess) ?? Number.NaN);
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

function measure(format: Intl.DateTimeFormat, time: number): number {
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(time)) parts[type] = value;
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
  const date = new Date(0);
  date.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  date.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
  return date.getTime() - time;
}
