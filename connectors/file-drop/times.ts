/** Times as hospital systems write them: ISO 8601, counts since 1970, and patterns such as `dd/MM/yyyy HH:mm`. */
import { isZone, localToUtc } from '../../runtime/stream/index.ts';

export interface TimeSpec {
  /** `iso`, `epoch-s`, `epoch-ms`, or a pattern of yyyy MM dd HH mm ss. */
  readonly format: string;
  /** Zone of times that are written without one: `Asia/Ho_Chi_Minh`, `+07:00`, `Z`. */
  readonly zone: string;
}

const tokens: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  dd: '(?<day>\\d{2})',
  HH: '(?<hour>\\d{2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
};

const isoPattern =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[T ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?\s*(?<offset>Z|[+-]\d{2}:?\d{2})?)?$/;

function patternOf(format: string, name: string): RegExp {
  const source = format.replace(/yyyy|MM|dd|HH|mm|ss|[^A-Za-z0-9]|[A-Za-z0-9]/g, (part) => {
    const token = tokens[part];
    if (token) return token;
    if (/[A-Za-z]/.test(part) && part !== 'T') {
      throw new Error(
        `field ${name}: the format "${format}" has "${part}"; a pattern is made of yyyy MM dd HH mm ss and separators`,
      );
    }
    return part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  for (const needed of ['yyyy', 'MM', 'dd']) {
    if (format.split(needed).length !== 2)
      throw new Error(`field ${name}: the format "${format}" needs ${needed} once`);
  }
  return new RegExp(`^${source}$`);
}

/** Minutes east of Greenwich of `+07:00`, `+0700` or `Z`; undefined for anything else. */
function fixedOffset(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'UTC') return 0;
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (!match) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

/** From local time, written as if it were UTC, to UTC. Throws for a zone that does not exist. */
function makeToUtc(zone: string, name: string): (local: number) => number {
  const fixed = fixedOffset(zone);
  if (fixed !== undefined) return (local) => local - fixed * 60_000;
  if (!isZone(zone))
    throw new Error(`field ${name}: "${zone}" is not a time zone (such as Asia/Ho_Chi_Minh or +07:00)`);
  return (local) => localToUtc(local, zone);
}

const milliseconds = (fraction: string | undefined) => (fraction ? Math.trunc(Number(`0.${fraction}`) * 1000) : 0);

/** The local time of the parts as if it were UTC, or undefined when there is no such day or hour. */
function localOf(part: Record<string, string | undefined>): number | undefined {
  const { year, month, day, hour = '0', minute = '0', second = '0' } = part;
  const check = new Date(0);
  // Unlike `Date.UTC`, which takes the years 0 to 99 for those of the twentieth century.
  check.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const local = check.setUTCHours(Number(hour), Number(minute), Number(second));
  const real =
    check.getUTCMonth() === Number(month) - 1 &&
    check.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60;
  return real ? local + milliseconds(part.fraction) : undefined;
}

function makeEpochParser(unitMs: number) {
  return (cell: unknown): number | undefined => {
    const text = String(cell).trim();
    if (!/^-?\d+(?:\.\d+)?$/.test(text)) return undefined;
    const time = Math.round(Number(text) * unitMs);
    return Number.isSafeInteger(time) && Math.abs(time) <= 8.64e15 ? time : undefined;
  };
}

/** A parser that gives ms since the epoch, or undefined. A `Date` (a cell of a workbook) is local time of the zone. */
export function makeTimeParser({ format, zone }: TimeSpec, name: string): (cell: unknown) => number | undefined {
  const toUtc = makeToUtc(zone, name);
  const fromDate = (date: Date) => (Number.isNaN(date.getTime()) ? undefined : toUtc(date.getTime()));
  if (format === 'epoch-ms' || format === 'epoch-s') return makeEpochParser(format === 'epoch-s' ? 1000 : 1);
  const pattern = format === 'iso' ? isoPattern : patternOf(format, name);
  return (cell) => {
    if (cell instanceof Date) return fromDate(cell);
    const part = pattern.exec(String(cell).trim())?.groups;
    if (!part) return undefined;
    const local = localOf(part);
    if (local === undefined) return undefined;
    const offset = part.offset === undefined ? undefined : fixedOffset(part.offset);
    return offset === undefined ? toUtc(local) : local - offset * 60_000;
  };
}
