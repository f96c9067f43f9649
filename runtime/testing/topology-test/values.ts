/** Values of events as a test writes them, made to what the schema says. */
import { didYouMean } from '../../did-you-mean.ts';
import { parseDuration } from '../../stream/options.ts';
import { describeType, type Event, type Field, type FieldType, type Schema } from '../../stream/schema.ts';
import type { RawEvent } from './format.ts';

/** Key of an event that is its event time, as in the examples of operators. */
export const timeKey = '$time';

export interface ValueProblem {
  readonly code: 'MACH1506' | 'MACH1507';
  readonly path: readonly (string | number)[];
  readonly at: 'key' | 'value';
  readonly data: Readonly<Record<string, string>>;
  readonly suggestion?: string;
}

export interface ValueContext {
  /** Time of the test, ms since the epoch. */
  readonly now: number;
  /** Which repetition it is, from 1: stands for `{n}` in texts. */
  readonly repetition: number;
  /** Whose schema it is, for messages. */
  readonly node: string;
  report(problem: ValueProblem): void;
}

/** ISO 8601 with zone, `now`, `+10s`, `-5m`; undefined when it is none of them. */
export function parseTime(text: string, now: number): number | undefined {
  if (text === 'now') return now;
  const relative = /^([+-])(.+)$/.exec(text);
  if (relative) {
    const durationMs = parseDuration(relative[2] ?? '');
    return durationMs === undefined ? undefined : now + (relative[1] === '-' ? -durationMs : durationMs);
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** A value of JSON as it stands. */
export function jsonValue(raw: unknown, context: Pick<ValueContext, 'report'> & { readonly field: string }): unknown {
  const { field, report } = context;
  checkFinite(raw, [], (path, value) => {
    report({ code: 'MACH1507', path, at: 'value', data: { field, problem: problemOf(value, { kind: 'json' }) } });
  });
  return raw;
}

type Report = (path: readonly (string | number)[], value: number) => void;

function checkFinite(raw: unknown, path: readonly (string | number)[], report: Report): void {
  if (typeof raw === 'number' && !Number.isFinite(raw)) report(path, raw);
  if (Array.isArray(raw)) for (const [index, item] of raw.entries()) checkFinite(item, [...path, index], report);
  else if (typeof raw === 'object' && raw !== null)
    for (const [name, item] of Object.entries(raw)) checkFinite(item, [...path, name], report);
}

/** A whole event: absent nullable fields are null, absent lists empty, absent times the time of the event. */
export function eventOf(raw: RawEvent, schema: Schema, context: ValueContext & { readonly time: number }) {
  const time = timeOf(raw, context) ?? context.time;
  const given = fieldsOf(raw, schema, context);
  const event: Event = {};
  for (const [name, field] of Object.entries(schema.fields)) {
    if (name in given) event[name] = given[name];
    else if (field.nullable) event[name] = null;
    else if (field.type.kind === 'list') event[name] = [];
    else if (field.type.kind === 'timestamp') event[name] = time;
    else {
      const problem = `it is missing; ${describeType(field.type)} is needed, and it may not be null`;
      context.report({ code: 'MACH1507', path: [], at: 'value', data: { field: name, problem } });
    }
  }
  return { event, time };
}

/** Only the fields that are written. */
export function fieldsOf(raw: RawEvent, schema: Schema, context: ValueContext): Event {
  const event: Event = {};
  for (const [name, value] of Object.entries(raw)) {
    if (name === timeKey) continue;
    const field = schema.fields[name];
    if (field) event[name] = valueOf(value, field, { ...context, field: name, path: [name] });
    else context.report(unknownField(name, schema, context.node));
  }
  return event;
}

/** A value that a field could hold, and its source never gives: a test of it would prove something that cannot come to be. */
export function refusedValue(name: string, problem: string, event: Event): ValueProblem {
  return {
    code: 'MACH1507',
    path: [name],
    at: 'value',
    data: { field: name, problem: `${JSON.stringify(event[name])} ${problem}: the source makes it a dead letter` },
    suggestion: 'send it as text or file to test the dead letter',
  };
}

export function unknownField(name: string, schema: Schema, node: string): ValueProblem {
  const names = Object.keys(schema.fields);
  const near = didYouMean(name, names);
  return {
    code: 'MACH1506',
    path: [name],
    at: 'key',
    data: { field: name, node },
    suggestion: near ? `did you mean ${near}?` : `fields: ${names.join(', ')}`,
  };
}

export function timeOf(raw: RawEvent, context: ValueContext): number | undefined {
  if (!(timeKey in raw)) return undefined;
  const type: FieldType = { kind: 'timestamp' };
  return valueOf(raw[timeKey], { type }, { ...context, field: timeKey, path: [timeKey] }) as number;
}

type FieldContext = ValueContext & { readonly field: string; readonly path: readonly (string | number)[] };

function valueOf(raw: unknown, { type, nullable }: Field, context: FieldContext): unknown {
  if (raw === null) return nullable || type.kind === 'json' ? null : wrong(raw, type, context);
  switch (type.kind) {
    case 'string':
      return textOf(raw, type, context);
    case 'bool':
      return typeof raw === 'boolean' ? raw : wrong(raw, type, context);
    case 'int':
      return Number.isSafeInteger(raw) ? raw : wrong(raw, type, context);
    case 'float':
      return Number.isFinite(raw) ? raw : wrong(raw, type, context);
    case 'timestamp':
      return (typeof raw === 'string' ? parseTime(raw, context.now) : integer(raw)) ?? wrong(raw, type, context);
    case 'duration':
      return (typeof raw === 'string' ? parseDuration(raw) : integer(raw)) ?? wrong(raw, type, context);
    case 'list':
      if (!Array.isArray(raw)) return wrong(raw, type, context);
      return raw.map((item, index) => valueOf(item, { type: type.of }, { ...context, path: [...context.path, index] }));
    case 'record':
      return recordOf(raw, type, context);
    default:
      return plain(raw, context);
  }
}

function integer(raw: unknown): number | undefined {
  return Number.isSafeInteger(raw) ? (raw as number) : undefined;
}

function textOf(raw: unknown, type: FieldType & { kind: 'string' }, context: FieldContext): unknown {
  if (typeof raw !== 'string') return wrong(raw, type, context);
  const text = fill(raw, context);
  if (!type.values || type.values.includes(text)) return text;
  const near = didYouMean(text, type.values);
  return wrong(raw, type, context, near && `did you mean ${near}?`);
}

function recordOf(raw: unknown, type: FieldType & { kind: 'record' }, context: FieldContext): unknown {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) return wrong(raw, type, context);
  const record: Event = {};
  for (const [name, field] of Object.entries(type.fields)) {
    const value = (raw as Event)[name] ?? null;
    record[name] = valueOf(value, field, { ...context, path: [...context.path, name] });
  }
  return record;
}

/** Any JSON value, texts filled in; objects as plain ones. */
function plain(raw: unknown, context: FieldContext): unknown {
  if (typeof raw === 'string') return fill(raw, context);
  if (typeof raw === 'number' && !Number.isFinite(raw)) return wrong(raw, { kind: 'json' }, context);
  const inside = (name: string | number) => ({ ...context, path: [...context.path, name] });
  if (Array.isArray(raw)) return raw.map((item, index) => plain(item, inside(index)));
  if (raw === null || typeof raw !== 'object') return raw;
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, plain(value, inside(name))]));
}

function fill(text: string, { repetition }: ValueContext): string {
  return text.replaceAll('{n}', String(repetition));
}

const hints: Partial<Record<FieldType['kind'], string>> = {
  timestamp: 'ISO 8601 with its zone, now, or relative: +10s, -5m',
  duration: 'a number and a unit: 30s, 5m',
  string: 'put it in quotes',
};

function wrong(raw: unknown, type: FieldType, context: FieldContext, suggestion?: string): null {
  const { field, path } = context;
  const hint = suggestion ?? (isOfNoUse(raw, type) ? undefined : hints[type.kind]);
  const suggested = hint === undefined ? {} : { suggestion: hint };
  context.report({ code: 'MACH1507', path, at: 'value', data: { field, problem: problemOf(raw, type) }, ...suggested });
  return null;
}

function problemOf(raw: unknown, type: FieldType): string {
  const wanted = describeType(type);
  if (raw === null) return `it may not be null; ${wanted} is needed`;
  // YAML can write what neither JSON nor an event has.
  if (typeof raw === 'number' && !Number.isFinite(raw)) return `no event has ${raw}; ${wanted} is needed`;
  return `${JSON.stringify(raw)} is not ${wanted}`;
}

/** What is said of the type in general would not help. */
function isOfNoUse(raw: unknown, type: FieldType): boolean {
  if (raw === null || (typeof raw === 'number' && !Number.isFinite(raw))) return true;
  return type.kind === 'string' && typeof raw === 'string';
}
