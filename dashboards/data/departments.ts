/** Emergency departments and beds, as boards ask for them. Corrections replace earlier rows by `_version`. */
import type { Choice } from '../kit/board.ts';
import type { Look } from '../kit/look.ts';
import { palette } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import { rowsMax } from './bounds.ts';

/** A picture of a department older than this is not shown as the present. */
const presentMinutes = 15;
/** Ranges longer than this read the pictures of each quarter of an hour instead of each minute. */
const minuteRangeHours = 26;

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

/** The newest bed file of each hospital, of the last day: `hospital`, `beds_at` and the columns. */
export function presentBeds(columns: readonly string[]): string {
  return `SELECT t.hospital AS hospital, max(t.reported_at) AS beds_at,
    ${newestOf(columns, 'reported_at')}
  FROM bed_status AS t
  WHERE t.reported_at > $__toTime - INTERVAL 1 DAY AND t.reported_at <= $__toTime
  GROUP BY t.hospital LIMIT ${rowsMax}`;
}

/** Name and place of every hospital that has ever sent a bed file. */
export const hospitalRegister = `SELECT t.hospital AS hospital, argMax(tuple(t.name), t._version).1 AS name,
    argMax(tuple(t.latitude), t._version).1 AS latitude, argMax(tuple(t.longitude), t._version).1 AS longitude
  FROM hospitals AS t GROUP BY t.hospital LIMIT ${rowsMax}`;

/**
 * Every hospital now: those of the register, and those that are heard without being in it. One that says nothing has level 0: it is in the list, and it
 * is not calm. Columns: `hospital`, `name`, `latitude`, `longitude`, `level`, `seen_at` and those named.
 */
export function departmentsNow(columns: readonly string[]): string {
  return `SELECT if(r.hospital = '', s.hospital, r.hospital) AS hospital, r.name AS name, r.latitude AS latitude, r.longitude AS longitude,
    if(s.hospital = '', 0, s.level) AS level, if(s.hospital = '', NULL, s.seen_at) AS seen_at${columns.map((name) => `, s.${name} AS ${name}`).join('')}
  FROM (${hospitalRegister}) AS r FULL JOIN (${presentStatus(['level', ...columns])}) AS s ON s.hospital = r.hospital`;
}

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

export const hospitalChoice: Choice = {
  name: 'hospital',
  title: text('Bệnh viện', 'Hospital'),
  sql: `SELECT hospital, if(empty(ifNull(name, '')), hospital, concat(hospital, ' · ', name)) AS name
FROM (${departmentsNow([])}) ORDER BY length(hospital), hospital LIMIT ${rowsMax}`,
};

const levels = [
  ['overloaded', 'level = 4', text('Quá tải', 'Overloaded'), palette.severe],
  ['crowded', 'level = 3', text('Rất đông', 'Crowded'), palette.warning],
  ['busy', 'level = 2', text('Đông', 'Busy'), palette.watch],
  ['ordinary', 'level = 1', text('Bình thường', 'Ordinary'), palette.calm],
  ['not_known', 'isNull(level)', text('Chưa biết', 'Not known'), palette.unknown],
  ['silent', 'level = 0', text('Im lặng', 'Silent'), palette.unknown],
] as const;

/** How many departments are at each level: a number for each, with its colour. */
export const levelCounts = {
  sql: levels.map(([name, condition]) => `countIf(${condition}) AS ${name}`).join(', '),
  // The colour of a level calls to where someone is at it.
  columns: Object.fromEntries(
    levels.map(([name, , title, color]): [string, Look] => {
      const scale = [
        { from: null, color: palette.plain },
        { from: 1, color },
      ];
      return [name, { title, scale }];
    }),
  ),
  description: text(
    'Số khoa ở mỗi mức lúc này. Im lặng: 15 phút qua không có hình ảnh nào. Chưa biết: thiếu số liệu để tính.',
    'Departments at each level now. Silent: no picture in the last 15 minutes. Not known: inputs of the scores are missing.',
  ),
} as const;
