/** How the made-up city is written: INSERT SELECT inside of the store, the same at every run. */
import { createHash } from 'node:crypto';
import type { TableSpec } from '../../runtime/store/store.ts';

/** SQL of values by the names of columns; columns that are not named keep their defaults. */
export type Columns = Readonly<Record<string, string>>;

export const dayMs = 86_400_000;
export const minuteMs = 60_000;

export const instant = (ms: string | number) => `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`;

/** Pseudo-random from what it is of: 0 to below 1. */
export const chance = (...of: readonly string[]) => `(sipHash64(${of.join(', ')}) % 10000) / 10000`;

/** How full the city is by its hour: low at night, high in the afternoon, with a wave of some hours. */
export const rhythm = (time: string) =>
  `(0.62 + 0.22 * sin((toHour(${time}, 'Asia/Ho_Chi_Minh') * 60 + toMinute(${time}) - 540) * pi() / 720) + 0.06 * sin(toUnixTimestamp(${time}) / 5400))`;

/** Where rows come from, made of an expression that grows with time. */
function originColumns(table: TableSpec, sequence: string): Columns {
  return {
    _stage: "'s1'",
    _partition: '0',
    _sequence: sequence,
    _index: '0',
    ...(table.rows === 'latest' && { _version: `toUInt64(${sequence}) * 1048576` }),
  };
}

/** The embedded store takes no rows without a token (decision 0010), and gives none to an INSERT SELECT by itself. */
const tokenSettings = (token: string) =>
  `deduplicate_insert_select = 'enable_even_for_bad_queries', insert_deduplication_token = '${token}'`;

/** `sequence`: SQL that grows with time. The same statement gives the same rows, so that its hash may be their token. */
export function insertSelect(
  table: TableSpec,
  { columns, sequence, from }: { columns: Columns; sequence: string; from: string },
): string {
  const all = { ...columns, ...originColumns(table, sequence) };
  const values = Object.entries(all).map(([name, sql]) => `(${sql}) AS ${name}`);
  const insert = `INSERT INTO ${table.name} (${Object.keys(all).join(', ')}) SELECT ${values.join(', ')} FROM (${from})`;
  const token = createHash('sha256').update(insert).digest('hex');
  return `${insert} SETTINGS max_insert_threads = 1, max_threads = 2, ${tokenSettings(token)}`;
}
