/** What a test expects, checked against the schema of the sink. */
import { deadLetterSchema } from '../../execution/dead-letter.ts';
import type { Accounting } from '../../stream/ledger.ts';
import type { NodeCounts } from '../../stream/node-runner.ts';
import type { Schema } from '../../stream/schema.ts';
import { edgeToken, parseEdgeToken } from '../../topology/names.ts';
import type { Path } from '../../topology/places.ts';
import { type BindContext, checkCounted, checkNode, nearest, reportTime } from './bind.ts';
import type { Expectation, ExpectedRow, ExpectStep, RowsOf } from './bound-test.ts';
import type { RawEvent, RawExpectation } from './format.ts';
import { parseSeries } from './series.ts';
import { fieldsOf, parseTime, timeOf, unknownField } from './values.ts';

type Build = (now: number, check: boolean) => Expectation | undefined;

export function bindExpectation(
  raw: RawExpectation,
  path: Path,
  startMs: number,
  context: BindContext,
): ExpectStep | undefined {
  const builds: Build[] = [];
  const wantsRows = raw.sink !== undefined || raw.output !== undefined || raw.dead_letters !== undefined;
  if (wantsRows) {
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
  if (raw.metrics) {
    const { metrics } = raw;
    const place = context.places.find([...path, 'metrics']);
    checkMetrics(metrics, [...path, 'metrics'], context);
    builds.push(() => ({ kind: 'metrics', place, metrics }));
  }
  if (builds.length === 0) {
    // What is wrong with the rows has been said.
    if (wantsRows) return undefined;
    const problem = 'expect has sink, output, dead_letters, accounting, watermark, counts or metrics';
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

function checkMetrics(metrics: Readonly<Record<string, number>>, path: Path, context: BindContext): void {
  for (const name of Object.keys(metrics)) {
    if (parseSeries(name)) continue;
    const problem = `"${name}" is not a metric; write mach_node_in_events_total{node="NODE"}`;
    context.report({ code: 'MACH1501', path: [...path, name], at: 'key', data: { problem } });
  }
}

interface Where {
  readonly of: RowsOf;
  readonly name: string;
  readonly schema: Schema;
  readonly keys?: readonly string[] | undefined;
}

/** The sink, output or dead letters whose rows are expected. */
function whereOf(raw: RawExpectation, path: Path, { topology, report }: BindContext): Where | undefined {
  const given = (['sink', 'output', 'dead_letters'] as const).filter((key) => raw[key] !== undefined);
  if (given.length > 1) {
    report({ code: 'MACH1501', path, data: { problem: `expect has ${given.join(' or ')}, not both` } });
    return undefined;
  }
  if (raw.output !== undefined) {
    const output = parseEdgeToken(raw.output);
    const nodes = [...topology.sources, ...topology.operators];
    const schema = nodes.find(({ id }) => id === output.node)?.ports[output.port];
    if (schema) return { of: { kind: 'output', output }, name: raw.output, schema };
    const known = nodes.flatMap(({ id, ports }) => Object.keys(ports).map((port) => edgeToken({ node: id, port })));
    const data = { name: raw.output, topology: topology.file };
    report({ code: 'MACH1515', path: [...path, 'output'], data, suggestion: nearest(raw.output, known) });
    return undefined;
  }
  if (raw.sink === undefined) return { of: { kind: 'dead letters' }, name: 'dead letters', schema: deadLetterSchema };
  const sink = topology.sinks.find(({ id }) => id === raw.sink);
  if (sink) {
    const schema = sink.inputs[0]?.schema ?? { fields: {} };
    return { of: { kind: 'sink', sink: sink.id }, name: sink.id, schema, keys: sink.bound.tables?.[0]?.orderBy };
  }
  const ids = topology.sinks.map(({ id }) => id);
  const data = { name: raw.sink, topology: topology.file };
  report({ code: 'MACH1505', path: [...path, 'sink'], data, suggestion: nearest(raw.sink, ids) });
  return undefined;
}

function rowsExpectation(raw: RawExpectation, path: Path, context: BindContext): Build | undefined {
  const { places, report } = context;
  const found = whereOf(raw, path, context);
  if (!found) return undefined;
  const { of, name: node, schema, keys } = found;
  const rowsKey = of.kind === 'dead letters' ? 'dead_letters' : 'rows';
  const rows = raw[rowsKey];
  if (rows === undefined && raw.contains === undefined && raw.snapshot === undefined) {
    report({ code: 'MACH1501', path, data: { problem: `expect has ${rowsKey}, contains or snapshot` } });
    return undefined;
  }
  const latestBy = latestFields(raw, path, { schema, node, keys }, context);
  const place = places.find([...path, rows !== undefined ? rowsKey : raw.contains ? 'contains' : 'snapshot'], {
    at: 'key',
  });
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
      of,
      rows: typeof rows === 'object' ? list(rowsKey, rows) : rows,
      contains: raw.contains && list('contains', raw.contains),
      where: raw.where && row(raw.where, [...path, 'where']),
      latestBy,
      snapshot: raw.snapshot,
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
