/** A query that only looks: it can change nothing, and what it may cost is bounded in the store itself. */
import type { ClickHouseClient } from '@clickhouse/client';
import { refuseStranger } from './answer.ts';
import { classifyQueryError } from './classify.ts';
import { storeErrors } from './errors.ts';
import type { ReadBounds, ReadResult } from './store.ts';

/**
 * The store counts a column of one repeated value once, so its own bound of bytes holds only for what differs from row to row: the text
 * that arrives is counted here too, and the rest is not read.
 */
export async function readBounded(
  client: ClickHouseClient,
  sql: string,
  { timeSecondsMax, rowsMax, bytesMax }: ReadBounds,
  signal?: AbortSignal,
): Promise<ReadResult> {
  try {
    const result = await client.query({
      query: sql,
      format: 'JSONCompactEachRowWithNamesAndTypes',
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
    refuseStranger(result.response_headers);
    const lines: unknown[][] = [];
    let length = 0;
    for await (const arrived of result.stream<unknown[]>()) {
      for (const row of arrived) {
        length += row.text.length;
        if (length > bytesMax)
          throw storeErrors.make('MACH3107', { reason: `the result is larger than ${bytesMax} bytes` });
        lines.push(row.json());
      }
    }
    const [names = [], types = [], ...rows] = lines;
    return { columns: names.map((name, at) => ({ name: String(name), type: String(types[at]) })), rows };
  } catch (error) {
    throw classifyQueryError(error);
  }
}
