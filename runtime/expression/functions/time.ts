/** Functions of time. Local time always names its zone: a centre's night shift is not UTC's. */
import { readTime, takesTime } from '../../read-time.ts';
import { parseDuration } from '../../stream/options.ts';
import { zoneOffsetMs } from '../../zone.ts';
import { toTimestamp } from '../arithmetic.ts';
import type { Expression } from '../expression.ts';
import { duration, int, string, timestamp } from '../types.ts';
import { applyTo, type Bound, type FunctionDefinition, isUncertain, type Misfit, type Parameter } from './define.ts';
import { compileTimeForm } from './format-time.ts';
import { zoneProblem } from './zone.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;
const secondMs = 1_000;

const timestampFunction: FunctionDefinition = {
  name: 'timestamp',
  signature: 'timestamp("2026-03-02T07:00:00+07:00") or timestamp(ms since 1970)',
  parameters: ['any'],
  bind(args) {
    const [arg] = args as [Expression];
    const { kind } = arg.type;
    if (kind !== 'string' && kind !== 'int' && kind !== 'float' && kind !== 'timestamp' && kind !== 'json') {
      return { reason: 'it takes a text or the ms since 1970', argument: 0 };
    }
    const text = arg.literal?.value;
    if (typeof text === 'string' && readTime(text) === null) {
      return { reason: `"${text}" is not ${takesTime}`, argument: 0 };
    }
    const convert = (value: unknown) =>
      typeof value === 'string' ? readTime(value) : typeof value === 'number' ? toTimestamp(value) : null;
    const nullable = isUncertain(arg) || (kind === 'string' && !arg.literal);
    return { type: timestamp, nullable, ...applyTo(convert, ['any'], args) };
  },
};

const durationFunction: FunctionDefinition = {
  name: 'duration',
  signature: 'duration("1h30m")',
  parameters: ['string'],
  bind(args) {
    const [arg] = args as [Expression];
    const text = arg.literal?.value;
    if (typeof text === 'string' && parseDuration(text) === undefined) {
      return {
        reason: `"${text}" is not a duration: a number and a unit (ms, s, m, h, d, w), such as 30s or 1h30m`,
        argument: 0,
      };
    }
    const nullable = isUncertain(arg) || !arg.literal;
    return {
      type: duration,
      nullable,
      ...applyTo((value) => parseDuration(value as string) ?? null, ['string'], args),
    };
  },
};

/** A function of a local time: the timestamp first, the zone's name last. */
function local(
  signature: string,
  result: Bound['type'],
  parameters: readonly Parameter[],
  apply: (localMs: number, offsetMs: number, ...more: number[]) => unknown,
  zoneOptional = false,
): FunctionDefinition {
  const zoneAt = parameters.length - 1;
  return {
    name: signature.slice(0, signature.indexOf('(')),
    signature,
    parameters,
    ...(zoneOptional && { optional: 1 }),
    bind(args): Bound | Misfit {
      const zone = args.length > zoneAt ? args[zoneAt]?.literal?.value : 'UTC';
      if (typeof zone !== 'string') return { reason: 'the time zone must be a text in quotes', argument: zoneAt };
      const misfit = zoneProblem(zone);
      if (misfit) return { ...misfit, argument: zoneAt };
      const rest = args.slice(0, zoneAt);
      const applied = applyTo(
        (time, ...more) => {
          const offsetMs = zoneOffsetMs(zone, time as number);
          return offsetMs === null ? null : apply((time as number) + offsetMs, offsetMs, ...(more as number[]));
        },
        parameters.slice(0, zoneAt),
        rest,
      );
      // A timestamp outside of what calendars cover has no local time.
      return { type: result, nullable: rest.some((arg) => isUncertain(arg)) || rest.length > 1, ...applied };
    },
  };
}

function floorTo(value: number, stepMs: number): number | null {
  return stepMs > 0 ? toTimestamp(Math.floor(value / stepMs) * stepMs) : null;
}

/** Of one day after the other mostly: its text is made once. */
let knownDay = Number.NaN;
let knownDate = '';

function dateOf(time: number): string {
  const day = Math.floor(time / dayMs);
  if (day === knownDay) return knownDate;
  knownDate = new Date(time).toISOString().slice(0, -14);
  knownDay = day;
  return knownDate;
}

const formatTime: FunctionDefinition = {
  name: 'format_time',
  signature: 'format_time(time, "yyyy-MM-dd HH:mm", "zone")',
  parameters: ['timestamp', 'string', 'string'],
  bind(args) {
    const [time, ...texts] = args as [Expression, Expression, Expression];
    const [form, zone] = texts.map(({ literal }) => literal?.value);
    if (typeof form !== 'string') return { reason: 'the form must be a text in quotes', argument: 1 };
    if (typeof zone !== 'string') return { reason: 'the time zone must be a text in quotes', argument: 2 };
    const misfit = zoneProblem(zone);
    if (misfit) return { ...misfit, argument: 2 };
    const compiled = compileTimeForm(form);
    if ('problem' in compiled) return { reason: compiled.problem, argument: 1 };
    const write = (at: unknown) => {
      const offsetMs = zoneOffsetMs(zone, at as number);
      return offsetMs === null ? null : compiled.write((at as number) + offsetMs);
    };
    return { type: string, nullable: isUncertain(time), ...applyTo(write, ['timestamp'], [time]) };
  },
};

const zoned = ['timestamp', 'string'] as const;

export const timeFunctions: readonly FunctionDefinition[] = [
  timestampFunction,
  durationFunction,
  formatTime,
  local('year(time, "zone")', int, zoned, (time) => new Date(time).getUTCFullYear()),
  local('month(time, "zone")', int, zoned, (time) => new Date(time).getUTCMonth() + 1),
  local('day(time, "zone")', int, zoned, (time) => new Date(time).getUTCDate()),
  local('second(time, "zone")', int, zoned, (time) => Math.floor(time / secondMs) - Math.floor(time / minuteMs) * 60),
  local('hour(time, "zone")', int, zoned, (time) => Math.floor(time / hourMs) - Math.floor(time / dayMs) * 24),
  local('minute(time, "zone")', int, zoned, (time) => Math.floor(time / minuteMs) - Math.floor(time / hourMs) * 60),
  // 1970-01-01 was a Thursday: the fourth day of an ISO 8601 week.
  local('day_of_week(time, "zone")', int, zoned, (time) => ((((Math.floor(time / dayMs) + 3) % 7) + 7) % 7) + 1),
  local('date(time, "zone")', string, zoned, dateOf),
  local(
    'floor_to(time, step, "zone"?)',
    timestamp,
    ['timestamp', 'duration', 'string'],
    (time, offsetMs, stepMs) => {
      const floored = floorTo(time, stepMs as number);
      return floored === null ? null : toTimestamp(floored - offsetMs);
    },
    true,
  ),
];
