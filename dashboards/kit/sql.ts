/**
 * Pieces of SQL that several boards share. "Now" is always the end of the range that is looked at (`$__toTime`), never the clock of
 * the store: so a board of last week shows last week, and a fast demo its own time. Corrections replace earlier rows by `_version`.
 */

/** Rows of one answer at most; more than hospitals or feeds that a city has. */
export const rowsMax = 1_000;
/** Points of one answer of a series at most. */
export const pointsMax = 20_000;
/** A picture of a department older than this is not shown as the present. */
export const presentMinutes = 15;
/** Ranges longer than this read the pictures of each quarter of an hour instead of each minute. */
export const minuteRangeHours = 26;

const newestOf = (columns: readonly string[], time: string) =>
  columns.map((name) => `argMax(tuple(t.${name}), tuple(t.${time}, t._version)).1 AS ${name}`).join(',\n    ');

/** The newest picture of each emergency department, of the last quarter of an hour: `hospital`, `seen_at` and the columns. */
export function presentStatus(columns: readonly string[]): string {
  return `SELECT t.hospital AS hospital, max(t.minute) AS seen_at,
    ${newestOf(columns, 'minute')}
  FROM ed_status AS t
  WHERE t.minute > $__toTime - INTERVAL ${presentMinutes} MINUTE AND t.minute <= $__toTime
  GROUP BY t.hospital LIMIT ${rowsMax}`;
}

/** The newest bed file of each hospital, of the last day: `hospital`, `reported_at` and the columns. */
export function presentBeds(columns: readonly string[]): string {
  return `SELECT t.hospital AS hospital, max(t.reported_at) AS beds_at,
    ${newestOf(columns, 'reported_at')}
  FROM bed_status AS t
  WHERE t.reported_at > $__toTime - INTERVAL 1 DAY AND t.reported_at <= $__toTime
  GROUP BY t.hospital LIMIT ${rowsMax}`;
}

/** Name and place of every hospital. */
export const hospitalRegister = `SELECT t.hospital AS hospital, argMax(tuple(t.name), t._version).1 AS name,
    argMax(tuple(t.latitude), t._version).1 AS latitude, argMax(tuple(t.longitude), t._version).1 AS longitude
  FROM hospitals AS t GROUP BY t.hospital LIMIT ${rowsMax}`;

const isLong = `dateDiff('hour', $__fromTime, $__toTime) > ${minuteRangeHours}`;

/** Pictures in the range: of each minute, or of each quarter of an hour where the range is long. */
export function statusInRange(columns: readonly string[], condition = '1'): string {
  const part = (table: string, when: string) => `SELECT minute, hospital, ${columns.join(', ')}
    FROM ${table} FINAL WHERE $__timeFilter_ms(minute) AND ${condition} AND ${when}`;
  return `${part('ed_status', `NOT (${isLong})`)}
  UNION ALL ${part('ed_status_quarterly', isLong)}`;
}

/** The hospitals chosen above the board. */
export const chosenHospitals = '$__conditionalAll(hospital IN (${hospital:singlequote}), $hospital)';
