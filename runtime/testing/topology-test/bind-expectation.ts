/** What a test expects, checked against the schema of the sink. */
import { deadLetterSchema } from '../../execution/dead-letter.ts';
import type { Accounting } from '../../stream/ledger.ts';
import type { NodeCounts } from '../../stream/node-runner.ts';
import type { Schema } from '../../stream/schema.ts';
import type { Path } from '../../topology/places.ts';
import { type BindContext, checkCounted, checkNode, nearest, reportTime } from './bind.ts';
import type { Expectation, ExpectedRow, ExpectStep } from './bound-test.ts';
import type { RawEvent, RawExpectation } from './format.ts';
import { fieldsOf, parseTime, timeOf, unknownField } from './values.ts';

type Build = (now: number, check: boolean) => Expectation | undefined;

export function bindExpectation(
  raw: RawExpectation,
  path: Path,
  startMs: number,
  context: BindContext,
): ExpectStep | undefined {
  const builds: Build[] = [];
  if (raw.sink !== undefined || raw.dead_letters !== undefined) {
    const build = rowsExpectation(raw, path, context);
    if (build) builds.push(build);
  }
  if (raw.accounting) {
    const place = context.places.find([...path, 'accounting']);
    const accounting = raw.accounting as Partial<Accounting>;
    builds.push(() => ({ kind: 'accounting', place, accounting }));
  }
  if (raw.watermark) builds.push(watermarkExpectation(raw.watermark, [...path, 'watermark'], context));
  if (raw.counts) {
    const { node, ...counts } = raw.counts;
    checkCounted(context, node, [...path, 'counts', 'node']);
    const place = context.places.find([...path, 'counts']);
    builds.push(() => ({ kind: 'counts', place, node, counts: counts as Partial<NodeCounts> }));
  }
  if (builds.length === 0) {
    const problem = 'expect has sink, dead_letters, accounting, watermark or counts';
    context.report({ code: 'MACH1501', path, data: { problem } });
    return undefined;
  }
  for (const build of builds) build(startMs, true);
  const expectations = (now: number) => builds.flatMap((build) => build(now, false) ?? []);
  return { kind: 'expect', place: context.places.find(path), expectations };
}

function watermarkExpectation(
  { node, time }: { node: string; time: string | null },
  path: Path,
  context: BindContext,
): Build {
  checkNode(context, node, [...path, 'node']);
  const place = context.places.find(path);
  return (now, check) => {
    const wanted = time === null ? null : parseTime(time, now);
    if (wanted === undefined && check) reportTime(context, [...path, 'time'], time ?? '');
    return { kind: 'watermark', place, node, time: wanted ?? null };
  };
}

function rowsExpectation(raw: RawExpectation, path: Path, context: BindContext): Build | undefined {
  const { topology, places, report } = context;
  const sink = topology.sinks.find(({ id }) => id === raw.sink);
  if (raw.sink !== undefined && raw.dead_letters !== undefined) {
    report({ code: 'MACH1501', path, data: { problem: 'expect has sink or dead_letters, not both' } });
    return undefined;
  }
  if (raw.sink !== undefined && !sink) {
    const ids = topology.sinks.map(({ id }) => id);
    const data = { name: raw.sink, topology: topology.file };
    report({ code: 'MACH1505', path: [...path, 'sink'], data, suggestion: nearest(raw.sink, ids) });
    return undefined;
  }
  const rowsKey = sink ? 'rows' : 'dead_letters';
  const rows = sink ? raw.rows : raw.dead_letters;
  if (rows === undefined && raw.contains === undefined) {
    report({ code: 'MACH1501', path, data: { problem: `expect has ${rowsKey} or contains` } });
    return undefined;
  }
  const schema: Schema = sink ? (sink.inputs[0]?.schema ?? { fields: {} }) : deadLetterSchema;
  const node = sink?.id ?? 'dead letters';
  const latestBy = latestFields(raw, path, { schema, node, keys: sink?.bound.tables?.[0]?.orderBy }, context);
  const place = places.find([...path, rows === undefined ? 'contains' : rowsKey], { at: 'key' });
  return (now, check) => {
    const row = (one: RawEvent, where: Path): ExpectedRow => {
      const value = {
        now,
        repetition: 1,
        node,
        report: (problem: Parameters<Parameters<typeof fieldsOf>[2]['report']>[0]) => {
          if (check) report({ ...problem, path: [...where, ...problem.path] });
        },
      };
      return { fields: fieldsOf(one, schema, value), time: timeOf(one, value) };
    };
    const list = (key: string, ones: readonly RawEvent[]) => ones.map((one, index) => row(one, [...path, key, index]));
    return {
      kind: 'rows',
      place,
      sink: sink?.id,
      rows: typeof rows === 'object' ? list(rowsKey, rows) : rows,
      contains: raw.contains && list('contains', raw.contains),
      where: raw.where && row(raw.where, [...path, 'where']),
      latestBy,
    };
  };
}

function latestFields(
  { latest }: RawExpectation,
  path: Path,
  { schema, node, keys }: { schema: Schema; node: string; keys: readonly string[] | undefined },
  { report }: BindContext,
): readonly string[] | undefined {
  if (latest === undefined || latest === false) return undefined;
  if (latest === true) {
    if (keys && keys.length > 0) return keys;
    report({ code: 'MACH1512', path: [...path, 'latest'], data: { sink: node } });
    return undefined;
  }
  for (const [index, name] of latest.entries()) {
    if (!(name in schema.fields))
      report({ ...unknownField(name, schema, node), path: [...path, 'latest', index], at: 'value' });
  }
  return latest;
}
