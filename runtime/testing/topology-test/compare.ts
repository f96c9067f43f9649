/** Whether a test got what it expects, and the difference in words. */
import { deadLetterSchema } from '../../execution/dead-letter.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { edgeToken } from '../../topology/names.ts';
import { alignRows, isSame, matches, type Pair } from './align.ts';
import type { Expectation, ExpectedRow } from './bound-test.ts';
import { topologyTestLimits } from './limits.ts';
import { parseSeries, valueOfSeries } from './series.ts';
import { snapshotRows } from './snapshots.ts';
import { timeKey } from './values.ts';
import type { CollectedRow, World } from './world-form.ts';

export interface Mismatch {
  /** MACH1520 when it does not say otherwise. */
  readonly code?: 'MACH1525';
  readonly what: string;
  /** Lines: `-` expected, `+` got, `=` both. */
  readonly difference: readonly string[];
}

/** What an expectation is checked in. */
export interface Checking {
  readonly world: World;
  readonly topology: BoundTopology;
  /** Snapshots of this test. */
  readonly snapshots: {
    readonly update: boolean;
    get(name: string): readonly Event[] | undefined;
    put(name: string, rows: readonly Event[]): void;
  };
}

export async function checkExpectation(expectation: Expectation, checking: Checking): Promise<Mismatch | undefined> {
  const { world } = checking;
  switch (expectation.kind) {
    case 'rows':
      return checkRows(expectation, checking);
    case 'metrics':
      return checkMetrics(expectation.metrics, await world.metrics());
    case 'accounting': {
      const accounting = world.accounting();
      const difference = differentFields(expectation.accounting as Event, accounting as unknown as Event);
      return difference.length === 0 ? undefined : { what: 'the accounting is another one', difference };
    }
    case 'counts': {
      const { node, counts } = expectation;
      const difference = differentFields(counts as Event, world.counts(node) as unknown as Event);
      return difference.length === 0 ? undefined : { what: `the counts of ${node} are others`, difference };
    }
    case 'watermark': {
      const { node, time } = expectation;
      const got = world.watermark(node);
      if (got === time) return undefined;
      const what = `the watermark of ${node} is another one`;
      return { what, difference: [`- ${showTime(time)}`, `+ ${showTime(got)}`] };
    }
  }
}

type RowsExpectation = Expectation & { kind: 'rows' };

function checkMetrics(wanted: Readonly<Record<string, number>>, exposition: string): Mismatch | undefined {
  const difference = Object.entries(wanted).flatMap(([name, value]) => {
    const series = parseSeries(name);
    const got = series && valueOfSeries(exposition, series);
    return got !== undefined && isSame(value, got) ? [] : [`- ${name}: ${value}`, `+ ${name}: ${got ?? 'none'}`];
  });
  return difference.length === 0 ? undefined : { what: 'metrics have other values', difference };
}

function rowsOf({ of }: RowsExpectation, world: World): readonly CollectedRow[] {
  if (of.kind === 'sink') return world.rows(of.sink);
  return of.kind === 'output' ? (world.lookBack().rows.get(edgeToken(of.output)) ?? []) : world.deadLetters();
}

function schemaOf({ of }: RowsExpectation, topology: BoundTopology): Schema {
  if (of.kind === 'dead letters') return deadLetterSchema;
  if (of.kind === 'sink') return topology.sinks.find(({ id }) => id === of.sink)?.inputs[0]?.schema ?? { fields: {} };
  const { node, port } = of.output;
  return [...topology.sources, ...topology.operators].find(({ id }) => id === node)?.ports[port] ?? { fields: {} };
}

function nameOf({ of }: RowsExpectation): string {
  if (of.kind === 'sink') return of.sink;
  return of.kind === 'output' ? edgeToken(of.output) : 'dead letters';
}

function checkSnapshot(
  name: string,
  got: readonly CollectedRow[],
  schema: Schema,
  { snapshots }: Checking,
): Mismatch | undefined {
  const rows = snapshotRows(got, schema);
  if (snapshots.update) {
    snapshots.put(name, rows);
    return undefined;
  }
  const kept = snapshots.get(name);
  if (!kept) return { code: 'MACH1525', what: name, difference: [] };
  const show: Show = (event) => JSON.stringify(event);
  const pairs = alignRows(
    kept.map((fields) => ({ fields, time: undefined })),
    rows.map((event) => ({ event, time: 0 })),
  );
  // A field that is new in the rows is a difference too.
  const isOther = ({ expected, row }: Pair) => !expected || !row || !isSame(expected.fields, row.event);
  if (!pairs.some(isOther)) return undefined;
  const what = `snapshot "${name}" has ${kept.length} rows, and now there are ${rows.length === kept.length ? 'others' : rows.length}`;
  return { what, difference: cut(describePairs(pairs, show)) };
}

function checkRows(expectation: RowsExpectation, checking: Checking): Mismatch | undefined {
  const { rows: wanted, contains, where, latestBy, snapshot } = expectation;
  const { world, topology } = checking;
  const name = nameOf(expectation);
  const schema = schemaOf(expectation, topology);
  const show = showRowOf(expectation, timestampsOf(schema.fields));
  let got = rowsOf(expectation, world);
  if (latestBy) got = latestRows(got, latestBy);
  if (where) got = got.filter((row) => matches(where, row));
  if (snapshot !== undefined) {
    const mismatch = checkSnapshot(snapshot, got, schema, checking);
    if (mismatch) return mismatch;
  }
  const scope = `${latestBy ? 'newest ' : ''}rows of ${name}${where ? ` where ${show(where.fields, where.time)}` : ''}`;
  if (typeof wanted === 'number' && wanted !== got.length) {
    return {
      what: `expected ${wanted} ${scope}, got ${got.length}`,
      difference: cut(got.map((row) => `+ ${show(row.event, row.time)}`)),
    };
  }
  if (typeof wanted === 'object') {
    const pairs = alignRows(wanted, got);
    if (pairs.some(({ expected, row }) => !expected || !row)) {
      return {
        what: `expected ${wanted.length} ${scope}, got ${got.length === wanted.length ? 'others' : got.length}`,
        difference: cut(describePairs(pairs, show)),
      };
    }
  }
  const missing = contains?.filter((one) => !got.some((row) => matches(one, row))) ?? [];
  if (missing.length === 0) return undefined;
  return {
    what: `${missing.length} of ${contains?.length} rows are not among the ${got.length} ${scope}`,
    difference: cut([
      ...missing.map((one) => `- ${show(one.fields, one.time)}`),
      ...got.slice(-topologyTestLimits.shownRowsMax).map((row) => `+ ${show(row.event, row.time)}`),
    ]),
  };
}

/** Of rows with the same key the one written last, in the order of their last writing. */
function latestRows(rows: readonly CollectedRow[], fields: readonly string[]): CollectedRow[] {
  const newest = new Map<string, CollectedRow>();
  for (const row of rows) {
    const key = JSON.stringify(fields.map((name) => row.event[name]));
    newest.delete(key);
    newest.set(key, row);
  }
  return [...newest.values()];
}

type Show = (event: Event, time: number | undefined) => string;

function describePairs(pairs: readonly Pair[], show: Show): string[] {
  const lines: string[] = [];
  for (let index = 0; index < pairs.length; index++) {
    const { expected, row } = pairs[index] as Pair;
    const next = pairs[index + 1];
    if (expected && row) lines.push(`= ${show(expected.fields, expected.time)}`);
    else if (expected && next?.row && !next.expected) {
      lines.push(...describeOther(expected, next.row, show));
      index++;
    } else if (expected) lines.push(`- ${show(expected.fields, expected.time)}`);
    else if (row) lines.push(`+ ${show(row.event, row.time)}`);
  }
  return lines;
}

/** One row in the place of another: only what differs. */
function describeOther({ fields, time }: ExpectedRow, row: CollectedRow, show: Show): string[] {
  const names = Object.keys(fields).filter((name) => !isSame(fields[name], row.event[name]));
  const only = (event: Event) => Object.fromEntries(names.map((name) => [name, event[name]]));
  const times = time === undefined || time === row.time ? [] : [time, row.time];
  return [`- ${show(only(fields), times[0])}`, `+ ${show(only(row.event), times[1])}`];
}

function differentFields(wanted: Event, got: Event): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const other = got[name];
    if (value !== null && typeof value === 'object' && other !== null && typeof other === 'object') {
      return differentFields(value as Event, other as Event).map(
        (line) => `${line.slice(0, 2)}${name}.${line.slice(2)}`,
      );
    }
    return isSame(value, other)
      ? []
      : [`- ${name}: ${JSON.stringify(value)}`, `+ ${name}: ${JSON.stringify(other ?? 0)}`];
  });
}

function timestampsOf(fields: Readonly<Record<string, { readonly type: { readonly kind: string } }>>): Set<string> {
  return new Set(Object.keys(fields).filter((name) => fields[name]?.type.kind === 'timestamp'));
}

/** Rows are shown by the fields that the expectation speaks of; by all that are not null where it names none. */
function showRowOf({ rows, contains, where }: RowsExpectation, timestamps: ReadonlySet<string>): Show {
  const named = [...(typeof rows === 'object' ? rows : []), ...(contains ?? []), ...(where ? [where] : [])];
  const names = new Set(named.flatMap(({ fields }) => Object.keys(fields)));
  const withTime = named.some(({ time }) => time !== undefined);
  return (event, time) => {
    const entries = Object.entries(event).filter(([name, value]) =>
      names.size > 0 ? names.has(name) : value !== null,
    );
    const parts = entries.map(([name, value]) => {
      const shown = timestamps.has(name) && typeof value === 'number' ? showTime(value) : JSON.stringify(value);
      return `${name}: ${shown}`;
    });
    if (withTime && time !== undefined) parts.push(`${timeKey}: ${showTime(time)}`);
    const text = `{ ${parts.join(', ')} }`;
    const { shownRowLengthMax } = topologyTestLimits;
    return text.length > shownRowLengthMax ? `${text.slice(0, shownRowLengthMax)} ...` : text;
  };
}

function showTime(time: number | null): string {
  return time === null ? 'none' : new Date(time).toISOString();
}

function cut(lines: readonly string[]): string[] {
  const { shownRowsMax } = topologyTestLimits;
  // What is as expected is left out first.
  const shown = lines.length > shownRowsMax ? lines.filter((line) => !line.startsWith('=')) : [...lines];
  if (shown.length <= shownRowsMax) return shown;
  return [...shown.slice(0, shownRowsMax), `  and ${shown.length - shownRowsMax} more`];
}
