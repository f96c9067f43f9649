/** What the engine says of itself, as boards ask for it. */
import { rowsMax } from './bounds.ts';

/** An engine that has written nothing for this long is shown as silent. */
const presentMinutes = 5;

/** The newest look at each node: `topology`, `node`, `kind`, `age_seconds` and the columns, summed or the greatest over all workers. */
export function nodesNow(sums: readonly string[], greatest: readonly string[]): string {
  const newest = [...sums, ...greatest].map((name) => `, argMax(tuple(t.${name}), t.at).1 AS ${name}`).join('');
  const summed = sums.map((name) => `, sum(w.${name}) AS ${name}`).join('');
  const most = greatest.map((name) => `, max(w.${name}) AS ${name}`).join('');
  return `SELECT topology, node, any(w.kind) AS kind, min(w.age) AS age_seconds${summed}${most}
  FROM (
    SELECT topology, worker, node, any(t.kind) AS kind, dateDiff('second', max(t.at), $__toTime) AS age${newest}
    FROM engine_nodes AS t WHERE t.at > $__toTime - INTERVAL ${presentMinutes} MINUTE AND t.at <= $__toTime
    GROUP BY topology, worker, node LIMIT ${10 * rowsMax}
  ) AS w GROUP BY topology, node LIMIT ${rowsMax}`;
}

/**
 * What counters gained from one interval to the next, for each node: `time`, `node` and, for each counter, `<counter>_gain`; a counter that began anew at 0 counts from
 * there.
 */
export function gains(counters: readonly string[], condition: string): string {
  const gain = (name: string) =>
    `sum(if(${name} >= before_${name}, ${name} - before_${name}, ${name})) AS ${name}_gain`;
  const before = (name: string) =>
    `lagInFrame(${name}, 1, ${name}) OVER (PARTITION BY worker, node ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before_${name}`;
  return `SELECT time, node, ${counters.map(gain).join(', ')} FROM (
    SELECT time, worker, node, ${counters.map((name) => `${name}, ${before(name)}`).join(', ')} FROM (
      SELECT $__timeInterval_ms(at) AS time, worker, node, ${counters.map((name) => `max(t.${name}) AS ${name}`).join(', ')}
      FROM engine_nodes AS t WHERE $__timeFilter_ms(at) AND ${condition} GROUP BY time, worker, node
    )
  ) GROUP BY time, node`;
}
