/** The live table of the demo: every emergency department as the store shows it now. */
import { styleText } from 'node:util';
import { formatTable, type TableHead } from '../../runtime/cli/top-screen.ts';
import type { EngineStatus } from '../../runtime/observe/status.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { CityProgress } from '../city/index.ts';

interface BoardRow {
  readonly hospital: string;
  /** Null until its first bed file has been read. */
  readonly name: string | null;
  readonly minute: string;
  readonly census: number;
  readonly ed_beds: number | null;
  readonly waiting: number;
  readonly boarding: number;
  readonly longest_wait: number | null;
  readonly ambulances: number | null;
  readonly nedocs: number | null;
  readonly band: string | null;
  readonly level: number | null;
}

export interface Board {
  readonly rows: readonly BoardRow[];
  readonly calls: number;
  readonly alerts: readonly { readonly key: string; readonly state: string; readonly at: string }[];
}

const boardQuery = `
SELECT s.hospital AS hospital, any(h.name) AS name, formatDateTime(max(s.minute), '%H:%i', 'Asia/Ho_Chi_Minh') AS minute,
  toInt32(argMax(s.census, s.minute)) AS census, toInt32(argMax(s.ed_beds, s.minute)) AS ed_beds, toInt32(argMax(s.waiting, s.minute)) AS waiting,
  toInt32(argMax(s.boarding, s.minute)) AS boarding, argMax(s.longest_wait_minutes, s.minute) AS longest_wait,
  toInt32(argMax(s.ambulances_on_the_way, s.minute)) AS ambulances, argMax(tuple(s.nedocs), s.minute).1 AS nedocs,
  argMax(tuple(s.nedocs_band), s.minute).1 AS band, argMax(tuple(toNullable(toInt32(s.level))), s.minute).1 AS level
FROM (SELECT * FROM ed_status FINAL WHERE minute <= fromUnixTimestamp64Milli({until: Int64})
  AND minute > (SELECT max(minute) - INTERVAL 10 MINUTE FROM ed_status WHERE minute <= fromUnixTimestamp64Milli({until: Int64}))) AS s
LEFT JOIN (SELECT hospital, any(name) AS name FROM hospitals GROUP BY hospital) AS h ON h.hospital = s.hospital
GROUP BY s.hospital ORDER BY s.hospital`;

/** The board as of an instant of the simulated city, ms since the epoch. */
export async function readBoard(store: Store, until: number): Promise<Board> {
  const [rows, calls, alerts] = await Promise.all([
    store.query<BoardRow>(boardQuery, { until: Math.floor(until) }),
    store.query<{ calls: number }>('SELECT toInt32(uniqExact(centre, call_id)) AS calls FROM emergency_calls'),
    store.query<{ key: string; state: string; at: string }>(
      `SELECT hospital AS key, argMax(state, changed) AS state, formatDateTime(max(changed), '%H:%i', 'Asia/Ho_Chi_Minh') AS at
       FROM (SELECT hospital, state, at AS changed FROM alerts) GROUP BY hospital HAVING state != 'cleared' ORDER BY hospital`,
    ),
  ]);
  return { rows, calls: calls[0]?.calls ?? 0, alerts };
}

const heads: readonly TableHead[] = [
  { title: 'ID', align: 'left' },
  { title: 'HOSPITAL', align: 'left' },
  { title: 'PATIENTS', align: 'right' },
  { title: 'BEDS', align: 'right', leaves: 4 },
  { title: 'WAITING', align: 'right' },
  { title: 'BOARDING', align: 'right', leaves: 5 },
  { title: 'LONGEST WAIT', align: 'right', leaves: 3 },
  { title: 'AMBULANCES', align: 'right', leaves: 2 },
  { title: 'NEDOCS', align: 'right' },
  { title: 'BAND', align: 'left', leaves: 1 },
  { title: 'LEVEL', align: 'right' },
];

const colors = { 1: 'green', 2: 'yellow', 3: 'magenta', 4: 'red' } as const;
const known = (value: number | null, text: (value: number) => string) => (value === null ? 'unknown' : text(value));

/** Cells of a row; `start`: the words that all names begin with, left out where lines are short. */
function cellsOf(row: BoardRow, start = ''): string[] {
  return [
    row.hospital,
    row.name?.slice(start.length) ?? '',
    String(row.census),
    known(row.ed_beds, String),
    String(row.waiting),
    String(row.boarding),
    row.longest_wait === null ? '' : `${row.longest_wait.toFixed(0)} min`,
    known(row.ambulances, String),
    known(row.nedocs, (points) => points.toFixed(0)),
    row.band ?? '',
    known(row.level, String),
  ];
}

/** The whole words with which every name begins. */
function commonStart(rows: readonly BoardRow[]): string {
  const [first, ...others] = rows.flatMap(({ name }) => (name ? [name] : []));
  if (first === undefined || others.length === 0) return '';
  let start = '';
  for (const word of first.split(/(?<= )/).slice(0, -1)) {
    if (!others.every((name) => name.startsWith(start + word))) break;
    start += word;
  }
  return start;
}

function tableOf(rows: readonly BoardRow[], width?: number): string[] {
  const whole = formatTable(
    heads,
    rows.map((row) => cellsOf(row)),
  ).split('\n');
  if (width === undefined || whole.every((line) => line.length <= width)) return whole;
  const start = commonStart(rows);
  const short = rows.map((row) => cellsOf(row, start));
  return formatTable(heads, short, width).split('\n');
}

export function liveScreen(args: {
  board: Board;
  status: EngineStatus;
  now: number;
  progress: CityProgress | undefined;
  color: boolean;
  /** Columns of the terminal. */
  width: number | undefined;
}): string {
  const { board, status, now, progress, color, width } = args;
  const table = tableOf(board.rows, width);
  const lines = table.map((line, index) => {
    const level = board.rows[index - 1]?.level as keyof typeof colors | null | undefined;
    return color && level ? styleText(colors[level], line) : line;
  });
  const { accounting } = status;
  const time = new Date(now + 7 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ');
  const open = board.alerts.map(({ key, state, at }) => `${key} ${state} ${at}`).join(', ');
  const sent = progress
    ? [`sent: ${progress.messages} HL7 messages, ${progress.feedItems} items of the 115 centre`]
    : [];
  return [
    `Emergency departments of the simulated city, ${time}${progress?.flushing ? ' (last messages)' : ''}`,
    '',
    ...lines,
    '',
    `115 calls ${board.calls}   open alerts: ${open || 'none'}`,
    ...sent,
    `engine: ${accounting.in} events in; ${latencyLine(status)}`,
  ].join('\n');
}

function latencyLine(status: EngineStatus): string {
  const calls = status.nodes.find(({ id }) => id === 'emergency_calls')?.latencyMs;
  return calls ? `call to row ${calls.p50} ms (median), ${calls.p99} ms (p99)` : 'no call yet';
}
