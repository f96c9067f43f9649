/** The row that somebody asks about, found in the log of results: for sinks of every kind, and without the store. */
import type { Log, LogStream } from '../../bus/log.ts';
import { didYouMean } from '../../did-you-mean.ts';
import { readTime, takesTime } from '../../read-time.ts';
import { isPersonalIn } from '../../stream/privacy.ts';
import type { Event, Field, Fields } from '../../stream/schema.ts';
import type { BoundSinkNode, BoundTopology } from '../../topology/bound.ts';
import { stageName, topologyNames } from '../../topology/names.ts';
import { decodeOutputFrame } from '../log-frame.ts';
import { whyErrors } from './errors.ts';
import { whyLimits } from './limits.ts';
import type { ResultRow } from './walk.ts';

/** What the row has to be. */
export interface ResultQuery {
  /** As it was asked, for messages. */
  readonly text: string;
  readonly sinks: readonly BoundSinkNode[];
  readonly place?: {
    readonly stage?: string;
    readonly partition?: number;
    readonly sequence: number;
    readonly index: number;
  };
  readonly values: Readonly<Record<string, unknown>>;
  /** Fields among `values` that point at a person: whether there is such a row at all is not for everybody to know. */
  readonly personal: readonly string[];
  /** Of several, the oldest: that of an alert which raised it. Default the newest. */
  readonly takes: 'newest' | 'oldest';
}

export interface FoundResult {
  readonly row: ResultRow;
  /** Rows that fit. */
  readonly matched: number;
}

/** Throws MACH3260. `conditions`: `field=value`, several in one text separated by commas; a value may have commas itself. */
export function parseResult(topology: BoundTopology, result: string, conditions: readonly string[]): ResultQuery {
  const text = [result, ...conditions].join(' ');
  const wrong = (reason: string) => whyErrors.make('MACH3260', { result: text, reason });
  const [name = '', ...rest] = result.split('/');
  const named = topology.sinks.filter(
    ({ id, bound }) => id === name || bound.tables?.some((table) => table.name === name),
  );
  const given = conditions.flatMap(splitConditions).filter((one) => one.trim() !== '');
  if (named.length > 0) {
    const { values, personal } = parseConditions(given, named, wrong);
    const place = rest.length === 0 ? undefined : parsePlace(rest);
    if (place === null) throw wrong('a place is TABLE/STAGE/PARTITION/SEQUENCE/INDEX, or TABLE/SEQUENCE/INDEX');
    return { text, sinks: named, values, personal, takes: 'newest', ...(place && { place }) };
  }
  const makesAlerts = topology.operators.some(
    ({ id, ports }) => id === name && ports.out && 'alert_id' in ports.out.fields,
  );
  const sinks = topology.sinks.filter(({ inputs }) => inputs.some(({ schema }) => 'alert_id' in schema.fields));
  if (makesAlerts && rest.length > 0 && sinks.length > 0) {
    // The id of an alert has its key: whoever is named by it can be asked for in this way too.
    const { values, personal } = parseConditions([...given, `alert_id=${result}`], sinks, wrong);
    return { text, sinks, values, personal, takes: 'oldest' };
  }
  const known = topology.sinks.flatMap(({ id, bound }) => [id, ...(bound.tables ?? []).map((table) => table.name)]);
  const there = `tables and sinks are ${[...new Set(known)].join(', ')}`;
  const node = [...topology.sources, ...topology.operators].find(({ id }) => id === name);
  if (node)
    throw wrong(`${name} is ${node.kind === 'source' ? 'a source' : 'an operator'}, not a table or a sink; ${there}`);
  const near = didYouMean(name, known);
  throw wrong(`there is no table, sink or alert "${name}"; ${near ? `did you mean ${near}?` : there}`);
}

/** A comma parts two conditions where a name and an equals sign come after it. */
function splitConditions(text: string): readonly string[] {
  return text.split(/,(?=\s*[a-z_]\w*\s*=)/i);
}

function parsePlace(parts: readonly string[]): ResultQuery['place'] | null {
  const numbers = parts.slice(-2).map(Number);
  const [sequence, index] = numbers as [number, number];
  if (parts.length !== 2 && parts.length !== 4) return null;
  if (!numbers.every((one) => Number.isInteger(one) && one >= 0)) return null;
  if (parts.length === 2) return { sequence, index };
  const [stage = '', partition] = parts;
  if (!/^s\d+$/.test(stage) || !/^\d+$/.test(partition ?? '')) return null;
  return { stage, partition: Number(partition), sequence, index };
}

function parseConditions(
  texts: readonly string[],
  sinks: readonly BoundSinkNode[],
  wrong: (reason: string) => Error,
): Pick<ResultQuery, 'values' | 'personal'> {
  const schemas = sinks.flatMap(({ inputs }) => inputs.map(({ schema }) => schema));
  const fields: Fields = Object.assign({}, ...schemas.map((schema) => schema.fields));
  const conditions = texts.map((text) => parseCondition(text, fields, wrong));
  const isTagged = (name: string) => schemas.some((schema) => isPersonalIn(schema, name));
  return { values: Object.fromEntries(conditions), personal: conditions.map(([name]) => name).filter(isTagged) };
}

function parseCondition(text: string, fields: Fields, wrong: (reason: string) => Error): readonly [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw wrong(`"${text}" is not field=value`);
  const name = text.slice(0, at).trim();
  const field = Object.hasOwn(fields, name) ? (fields[name] as Field) : undefined;
  if (!field) {
    const near = didYouMean(name, Object.keys(fields));
    throw wrong(`its rows have no field ${name}${near ? `; did you mean ${near}?` : ''}`);
  }
  const value = valueOf(text.slice(at + 1).trim(), field);
  const takes = field.type.kind === 'timestamp' ? `not ${takesTime}, nor ms since 1970` : `no ${field.type.kind}`;
  if (value === undefined) throw wrong(`"${text.slice(at + 1)}" is ${takes}`);
  return [name, value];
}

/** A value of a field as people write it; undefined where it is none. */
export function valueOf(text: string, { type }: Field): unknown {
  if (text === 'null') return null;
  if (type.kind === 'bool') return text === 'true' ? true : text === 'false' ? false : undefined;
  if (type.kind === 'timestamp') {
    return /^\d+$/.test(text) ? Number(text) : (readTime(text) ?? undefined);
  }
  if (type.kind !== 'int' && type.kind !== 'float' && type.kind !== 'duration') return text;
  return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
}

/** Rejects with MACH3261 when no row fits. */
export async function findResult(
  log: Pick<Log, 'find'>,
  topology: BoundTopology,
  query: ResultQuery,
): Promise<FoundResult> {
  const names = topologyNames(topology.name);
  let found: ResultRow | undefined;
  const matched = new Set<string>();
  for (let at = 1; ; at++) {
    const stage = stageName(at);
    const stream = await log.find(names.outputStream(stage));
    if (!stream) break;
    for await (const row of rowsOf(stream, { stage, query })) {
      // One that a sink had refused stands there twice, and is one row.
      matched.add(JSON.stringify([row.sink, row.stage, row.partition, row.sequence, row.index]));
      const isNewer =
        !found || row.sequence > found.sequence || (row.sequence === found.sequence && row.index > found.index);
      if (!found || isNewer === (query.takes === 'newest')) found = row;
    }
  }
  if (!found) throw whyErrors.make('MACH3261', { result: query.text });
  return { row: found, matched: matched.size };
}

/** Rows that fit, in the order of the stream. */
async function* rowsOf(
  stream: LogStream,
  { stage, query }: { stage: string; query: ResultQuery },
): AsyncGenerator<ResultRow, void, void> {
  if (query.place?.stage !== undefined && query.place.stage !== stage) return;
  const { firstSequence, lastSequence } = await stream.state();
  const from = Math.max(firstSequence, lastSequence - whyLimits.resultSearchMessages + 1);
  if (lastSequence < from) return;
  const reading = new AbortController();
  try {
    for await (const message of stream.read({ fromSequence: from, signal: reading.signal })) {
      const parts = message.subject.split('.');
      const partition = Number(parts.at(-1));
      const sink = query.sinks.find(({ id }) => id === parts.at(-2));
      const { place } = query;
      if (sink && (place?.partition === undefined || place.partition === partition)) {
        const schema = sink.inputs[0]?.schema ?? { fields: {} };
        for (const { event, time, sequence, index, redrive } of decodeOutputFrame(message.payload, schema).rows) {
          const at = redrive?.origin ?? { stage, partition, sequence, index };
          if (place && (place.sequence !== at.sequence || place.index !== at.index)) continue;
          if (fits(event, query.values)) yield { sink: sink.id, ...at, event, time };
        }
      }
      if (message.sequence >= lastSequence) return;
    }
  } finally {
    reading.abort();
  }
}

function fits(event: Event, values: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(values).every(([name, value]) => (event[name] ?? null) === value);
}
