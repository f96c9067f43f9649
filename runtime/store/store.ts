/** The store of results: ClickHouse, a server or the embedded one, spoken to in one way over HTTP. */
import type { Schema } from '../stream/schema.ts';

export interface TableSpec {
  readonly name: string;
  readonly schema: Schema;
  /** Sorting key. */
  readonly orderBy: readonly string[];
  /** A timestamp field; the table is partitioned by its day or month and `keepMs` counts from it. */
  readonly timeField?: string;
  readonly partitionBy?: 'day' | 'month';
  readonly keepMs?: number;
  /**
   * `append`: every row stays. `latest`: of rows with the same sorting key the one with the highest version stays
   * (ReplacingMergeTree over `_version`), so that a correction replaces an earlier result.
   */
  readonly rows: 'append' | 'latest';
  readonly comment?: string;
}

/**
 * Where a row comes from; every table has these columns beside the fields of its schema: `_stage` LowCardinality(String),
 * `_partition` UInt16, `_sequence` UInt64 (input sequence that caused the row), `_index` UInt32 (of the outputs of that
 * input). `_version` UInt64 is `_sequence * 2^20 + _index` in tables of `latest` rows.
 */
export interface RowOrigin {
  readonly stage: string;
  readonly partition: number;
  readonly sequence: number;
  readonly index: number;
}

export interface Rows {
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** One for each event. */
  readonly origins: readonly RowOrigin[];
}

/** What a query that only looks may cost. */
export interface ReadBounds {
  readonly timeSecondsMax: number;
  /** A result that is larger is refused as a whole: half of one would look like all of it. */
  readonly rowsMax: number;
  readonly bytesMax: number;
}

export interface ReadColumn {
  readonly name: string;
  /** Type of ClickHouse. */
  readonly type: string;
}

export interface ReadResult {
  readonly columns: readonly ReadColumn[];
  /** Values in the order of the columns, as JSON has them; times as ISO 8601 in UTC. */
  readonly rows: readonly (readonly unknown[])[];
}

export interface Store {
  readonly url: string;
  /** Makes the table, or adds the columns that are new. MACH3101 when an existing column has another type. */
  ensureTable(table: TableSpec): Promise<void>;
  /**
   * The same token must always carry the same rows; a repeated insert is stored once (`insert_deduplication_token`,
   * window of `limits.insertDeduplicationWindow` inserts per table).
   * Rejects with MACH3102 (refused: the rows can never be stored; a `RefusedRowsError` when it is known which), MACH3103 (unknown outcome or store away: try again with the
   * same token), MACH3113 (a view of the table fails, the table may have the rows: likewise).
   */
  insert(table: TableSpec, rows: Rows, token: string): Promise<void>;
  query<Row = Record<string, unknown>>(sql: string, parameters?: Record<string, unknown>): Promise<Row[]>;
  /** A query that can change nothing, within bounds. Rejects as `query` does. */
  read(sql: string, bounds: ReadBounds, signal?: AbortSignal): Promise<ReadResult>;
  command(sql: string): Promise<void>;
  check(): Promise<{ version: string }>;
  close(): Promise<void>;
}
