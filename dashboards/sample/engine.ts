/** What an engine that runs the made-up city says of itself. */
import type { TableSpec } from '../../runtime/store/store.ts';
import type { BoundTopology } from '../../runtime/topology/bound.ts';
import type { SampleCity } from './city.ts';
import { silentHospitals, silentMs } from './departments.ts';
import { chance, insertSelect, instant } from './sql.ts';

const list = (values: readonly (string | number)[]) =>
  `[${values.map((value) => (typeof value === 'string' ? `'${value}'` : value)).join(', ')}]`;

/** `from` and `to`: ms; a row of each node every `everyMs`. */
export function insertNodes(
  table: TableSpec,
  topology: BoundTopology,
  { from, to, everyMs }: { readonly from: number; readonly to: number; readonly everyMs: number },
): string {
  const nodes = [
    ...topology.sources.map(({ id }) => ({ id, kind: 'source' })),
    ...topology.operators.map(({ id }) => ({ id, kind: 'operator' })),
    ...topology.sinks.map(({ id }) => ({ id, kind: 'sink' })),
  ];
  const columns = {
    at: instant('time'),
    topology: `'${topology.name}'`,
    worker: "'engine-1'",
    node: 'node',
    kind: `${list(nodes.map(({ kind }) => kind))}[n]`,
    in_events: 'toInt64(passed * 40)',
    out_events: 'toInt64(passed * 38)',
    late_events: 'toInt64(passed / 900)',
    dropped_events: 'toInt64(passed / 300)',
    dead_events: "toInt64(if(node = 'adt', passed / 2000, 0))",
    queue_events: `toInt64(20 * ${chance('n', 'time')})`,
    busy_ms: 'passed * 40',
    backpressured_ms: 'passed * 4',
    state_keys: '1000',
    watermark: instant('time - 31000'),
    lag_ms: `31000 + 4000 * ${chance('n', 'time')}`,
    latency_p50_ms: "if(kind = 'sink', 180, NULL)",
    latency_p99_ms: `if(kind = 'sink', 420 + 300 * ${chance('n', 'time')}, NULL)`,
  };
  const looks = Math.floor((to - from) / everyMs);
  const rows = `SELECT number % ${nodes.length} + 1 AS n, ${list(nodes.map(({ id }) => id))}[n] AS node, ${from} + intDiv(number, ${nodes.length}) * ${everyMs} AS time, (time - ${from}) / 1000 AS passed
    FROM numbers(${looks * nodes.length})`;
  return insertSelect(table, { columns, sequence: 'intDiv(time, 1000)', from: rows });
}

export function insertFreshness(
  table: TableSpec,
  topology: BoundTopology,
  city: SampleCity,
  { from, to, everyMs }: { readonly from: number; readonly to: number; readonly everyMs: number },
): string {
  const columns = {
    at: instant('time'),
    topology: `'${topology.name}'`,
    source: "if(n = 0, 'centre', if(n <= count, 'adt', 'beds'))",
    origin: "if(n = 0, '115', concat('H', toString(if(n <= count, n, n - count))))",
    newest_event_at: instant('heard'),
    heard_at: instant('heard'),
    silent_after_ms: '120000',
  };
  const looks = Math.floor((to - from) / everyMs) + 1;
  const origins = 2 * city.hospitals + 1;
  const silent = `n IN (${silentHospitals.join(', ')})`;
  const age = `toInt64(if(n > count, 900000, 40000) * ${chance('n', 'time')})`;
  const rows = `SELECT number % ${origins} AS n, ${city.hospitals} AS count, ${to} - intDiv(number, ${origins}) * ${everyMs} AS time,
      if(${silent}, least(time, ${city.end - silentMs}), time) - ${age} AS heard FROM numbers(${looks * origins})`;
  return insertSelect(table, { columns, sequence: 'intDiv(time, 1000)', from: rows });
}
