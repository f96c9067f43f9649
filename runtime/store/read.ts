/** A query that only looks: it can change nothing, and what it may cost is bounded in the store itself. */
import type { ClickHouseClient } from '@clickhouse/client';
import { classifyQueryError } from './classify.ts';
import type { ReadBounds, ReadResult } from './store.ts';

export async function readBounded(
  client: ClickHouseClient,
  sql: string,
  { timeSecondsMax, rowsMax, bytesMax }: ReadBounds,
  signal?: AbortSignal,
): Promise<ReadResult> {
  try {
    const result = await client.query({
      query: sql,
      format: 'JSONCompact',
      clickhouse_settings: {
        readonly: '1',
        max_execution_time: timeSecondsMax,
        max_result_rows: String(rowsMax),
        max_result_bytes: String(bytesMax),
        result_overflow_mode: 'throw',
        output_format_json_quote_64bit_integers: 0,
        output_format_json_quote_denormals: 0,
        date_time_output_format: 'iso',
        // A client that has gone needs no answer.
        cancel_http_readonly_queries_on_client_close: 1,
      },
      ...(signal && { abort_signal: signal }),
    });
    const { meta = [], data } = await result.json<unknown[]>();
    return { columns: meta, rows: data };
  } catch (error) {
    throw classifyQueryError(error);
  }
}
