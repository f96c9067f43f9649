/** What a demo run came to, and how it compares with what really happened in the city. */

import type { Run } from '../../runtime/cli/start-run.ts';
import { percentile } from '../../runtime/observe/percentile.ts';
import type { Accounting } from '../../runtime/stream/ledger.ts';
import type { CityResult } from '../city/index.ts';

export interface DemoSummary {
  readonly events_in: number;
  /** Rows written by all sinks. */
  readonly results: number;
  readonly alerts: number;
  readonly call_to_row_ms: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly truth: {
    readonly census_mean_absolute_error: number;
    readonly census_minutes_compared: number;
    readonly boarding_mean_absolute_error: number;
    readonly waiting_mean_absolute_error: number;
  };
  readonly accounting: Readonly<Omit<Accounting, 'dropped_by_reason'>>;
}

interface StatusRow {
  readonly hospital: string;
  readonly at: string;
  readonly census: string;
  readonly boarding: string;
  readonly waiting: string;
}

export async function summarise(run: Run, { truth }: CityResult): Promise<DemoSummary> {
  const { engine, services } = run;
  const rows = await services.store.query<StatusRow>(
    'SELECT hospital, toString(toUnixTimestamp64Milli(minute)) AS at, toString(census) AS census, toString(boarding) AS boarding, toString(waiting) AS waiting FROM ed_status FINAL',
  );
  const computed = new Map(rows.map((row) => [`${row.hospital}/${row.at}`, row]));
  const errors = { census: 0, boarding: 0, waiting: 0 };
  for (const row of truth) {
    const found = computed.get(`${row.hospital}/${row.minute}`);
    // A minute without a row counts as if the department had been thought empty.
    for (const name of ['census', 'boarding', 'waiting'] as const)
      errors[name] += Math.abs(Number(found?.[name] ?? 0) - row[name]);
  }
  const compared = truth.length;
  const mean = (sum: number) => (compared === 0 ? 0 : sum / compared);
  const { in: accepted, delivered, filtered, late, dropped, dead_lettered, redriven } = engine.stage.machine.accounting;
  let results = 0;
  for (const sink of engine.sinks.values()) results += sink.counts.rows;
  const latenciesMs = engine.sinks.get('emergency_calls')?.latenciesMs.newest() ?? [];
  return {
    events_in: accepted,
    results,
    alerts: engine.sinks.get('alerts')?.counts.rows ?? 0,
    call_to_row_ms: {
      p50: percentile(latenciesMs, 0.5),
      p95: percentile(latenciesMs, 0.95),
      p99: percentile(latenciesMs, 0.99),
    },
    truth: {
      census_mean_absolute_error: mean(errors.census),
      census_minutes_compared: compared,
      boarding_mean_absolute_error: mean(errors.boarding),
      waiting_mean_absolute_error: mean(errors.waiting),
    },
    accounting: { in: accepted, delivered, filtered, late, dropped, dead_lettered, redriven },
  };
}
