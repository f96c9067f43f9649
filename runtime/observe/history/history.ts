/**
 * The engine writes of itself into the store, for boards and for alert rules about silence. It never holds the engine up and promises nothing: what the store does not take is
 * left out, and shows on boards as silence.
 */
import { hostname } from 'node:os';
import { type Clock, steadyClock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { endsWithin } from '../../execution/ends-within.ts';
import type { Engine } from '../../execution/engine.ts';
import { limits } from '../../limits.ts';
import type { Store, TableSpec } from '../../store/store.ts';
import type { Logger } from '../../stream/definition.ts';
import { engineStatus, type NodeStatus } from '../status.ts';
import { engineNodesTable, engineTables, feedFreshnessTable } from './tables.ts';

export interface HistoryOptions {
  readonly engine: Engine;
  /** Engine time. */
  readonly clock: Clock;
  readonly store: Store;
  readonly logger: Logger;
  /** Real time; another one in tests. */
  readonly pace?: Clock;
}

type Row = Readonly<Record<string, unknown>>;

/** Writes at once, and then until it is closed. */
export function startHistory(options: HistoryOptions): { close(): Promise<void> } {
  const { clock, logger, pace = steadyClock() } = options;
  const stop = new AbortController();
  const worker = `${hostname()}-${process.pid}`;
  let tablesAreMade = false;
  let isFailing = false;
  let feedsDue = Number.NEGATIVE_INFINITY;

  const insert = async (table: TableSpec, rows: readonly Row[], at: number) => {
    const origins = rows.map((_row, index) => ({ stage: 'engine', partition: 0, sequence: at, index }));
    await options.store.insert(table, { events: rows, origins }, `${worker} ${options.engine.topology.name} ${at}`);
  };

  const write = async () => {
    if (!tablesAreMade) for (const table of engineTables) await options.store.ensureTable(table);
    tablesAreMade = true;
    const at = Math.floor(clock.now());
    const { nodes, feeds } = await lookAtEngine(options.engine, at, worker);
    await insert(engineNodesTable, nodes, at);
    if (at < feedsDue) return;
    feedsDue = at + limits.historyFeedsEveryMs;
    await insert(feedFreshnessTable, feeds, at);
  };

  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        await write();
        isFailing = false;
      } catch (error) {
        // Said once: boards show the silence.
        const level = isFailing ? 'debug' : 'warn';
        logger[level]({ reason: messageOf(error) }, 'what the engine says of itself was not stored');
        isFailing = true;
      }
      const waits = [
        clock.sleep(limits.historyNodesEveryMs, stop.signal),
        pace.sleep(limits.historyRestMs, stop.signal),
      ];
      await Promise.all(waits).catch(() => undefined);
    }
  };

  const running = run();
  return {
    async close() {
      stop.abort();
      await endsWithin(running, limits.closeDeadlineMs);
    },
  };
}

/** Rows of `engine_nodes` and of `feed_freshness` at an instant. */
export interface EngineLook {
  readonly nodes: readonly Row[];
  readonly feeds: readonly Row[];
}

export async function lookAtEngine(engine: Engine, at: number, worker: string): Promise<EngineLook> {
  const { topology, nodes } = await engineStatus(engine, at);
  return { nodes: nodes.map((node) => nodeRow(node, { at, topology, worker })), feeds: feedRows(engine, at) };
}

function nodeRow(node: NodeStatus, place: { at: number; topology: string; worker: string }): Row {
  return {
    ...place,
    node: node.id,
    kind: node.kind,
    in_events: node.in,
    out_events: node.out,
    filtered_events: node.filtered,
    late_events: node.late,
    dropped_events: node.dropped,
    dead_events: node.dead,
    queue_events: node.queue,
    busy_ms: node.busyMs,
    backpressured_ms: node.backpressuredMs,
    retries: node.retries,
    state_keys: node.stateKeys,
    watermark: node.watermark,
    lag_ms: node.lagMs,
    latency_p50_ms: node.latencyMs?.p50 ?? null,
    latency_p99_ms: node.latencyMs?.p99 ?? null,
  };
}

/** Every partition reads all of the input and hears the same: that of the first tells for all. */
function feedRows(engine: Engine, at: number): Row[] {
  const machine = engine.units.get(0)?.stages[0]?.machine;
  if (!machine) return [];
  return engine.topology.sources.flatMap(({ id, idleMs }) =>
    machine
      .originsHeard(id)
      .map(({ origin, newest, heardAt }) => ({ origin, newest_event_at: newest, heard_at: heardAt ?? newest }))
      .sort((one, other) => other.heard_at - one.heard_at)
      .slice(0, limits.historyOriginsMax)
      .map((heard) => ({ at, topology: engine.topology.name, source: id, silent_after_ms: idleMs, ...heard })),
  );
}
