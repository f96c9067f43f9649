/**
 * The judge: what the tables hold against what is owed, and every window, pair and alert computed again in one batch from the identity
 * rows. It knows nothing of how the engine works; all of it is pure but for `readTables`.
 */
import type { Sent, SourceName } from './oracle.ts';

export interface IdentityRow {
  readonly id: string;
  readonly key: string;
  readonly pair: string;
  readonly at: number;
  readonly rows: number;
}

export interface WindowRow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly events: number;
  readonly first: number;
  readonly last: number;
}

export interface Tables {
  readonly identities: Readonly<Record<SourceName, readonly IdentityRow[]>>;
  readonly late: readonly { readonly id: string; readonly rows: number }[];
  readonly windows: readonly WindowRow[];
  readonly pairs: readonly { readonly id: string; readonly call: string; readonly rows: number }[];
  readonly pairsLate: readonly { readonly id: string; readonly rows: number }[];
  readonly alerts: readonly {
    readonly key: string;
    readonly state: string;
    readonly at: number;
    readonly events: number;
  }[];
}

export interface Verdict {
  readonly owed: number;
  readonly unknown: number;
  readonly refused: number;
  /** Owed ids that are there. */
  readonly found: number;
  /** Ids of unknown fate that are there. */
  readonly foundUnknown: number;
  readonly missing: readonly string[];
  readonly twice: readonly string[];
  /** Rows that nobody sent, or with other content than was sent. */
  readonly wrong: readonly string[];
  readonly windows: Compared;
  readonly pairs: Compared;
  readonly alerts: Compared;
  readonly late: number;
}

export interface Compared {
  readonly compared: number;
  readonly different: readonly string[];
}

export const windowMs = 2_000;
const pairWithinMs = 10_000;
const crowdedFrom = 36;
const namedMax = 20;
/** Of all ids of messages that are meant to be unreadable. */
export const poisonPrefix = 'P-';

/** Rows of the store as objects. */
export type Query = <Row>(sql: string) => Promise<Row[]>;

export function queryOf(url: string): Query {
  return async <Row>(sql: string) => {
    const response = await fetch(`${url}/?output_format_json_quote_64bit_integers=0`, {
      method: 'POST',
      body: `${sql} FORMAT JSONEachRow`,
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text.slice(0, 300));
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);
  };
}

/** Counts are of rows, without FINAL: the tables are append-only. */
export async function readTables(query: Query): Promise<Tables> {
  const ms = (name: string) => `toUnixTimestamp64Milli(${name})`;
  const identities = (table: string) =>
    query<IdentityRow>(
      `SELECT id, any(key) AS key, any(pair) AS pair, any(${ms('t.at')}) AS at, toInt32(count()) AS rows FROM ${table} AS t GROUP BY id`,
    );
  const ids = (table: string) =>
    query<{ id: string; rows: number }>(`SELECT id, toInt32(count()) AS rows FROM ${table} GROUP BY id`);
  const [visits, calls, drops, late, windows, pairs, pairsLate, alerts] = await Promise.all([
    identities('chaos_visits'),
    identities('chaos_calls'),
    identities('chaos_drops'),
    ids('chaos_late'),
    query<WindowRow>(
      `SELECT key, ${ms('window_start')} AS start, ${ms('window_end')} AS end, events, ${ms('first_at')} AS first, ${ms('last_at')} AS last FROM chaos_windows`,
    ),
    query<{ id: string; call: string; rows: number }>(
      'SELECT id, call_id AS call, toInt32(count()) AS rows FROM chaos_pairs GROUP BY id, call_id',
    ),
    ids('chaos_pairs_late'),
    query<Tables['alerts'][number]>(
      `SELECT key, state, ${ms('a.at')} AS at, events FROM chaos_alerts AS a ORDER BY key, at`,
    ),
  ]);
  return { identities: { visits, calls, drops }, late, windows, pairs, pairsLate, alerts };
}

/** `closedUntil`: windows that end by then are closed. */
export function judge(tables: Tables, sent: ReadonlyMap<string, Sent>, closedUntil: number): Verdict {
  const rows = [...tables.identities.visits, ...tables.identities.calls, ...tables.identities.drops];
  const there = new Map(rows.map((row) => [row.id, row]));
  const missing: string[] = [];
  const wrong: string[] = [];
  const counts = { owed: 0, unknown: 0, refused: 0, found: 0, foundUnknown: 0 };
  for (const one of sent.values()) {
    const isThere = there.has(one.id);
    if (one.state === 'refused') counts.refused++;
    else if (one.state !== 'owed') {
      counts.unknown++;
      if (isThere) counts.foundUnknown++;
    } else {
      counts.owed++;
      if (isThere) counts.found++;
      else missing.push(one.id);
    }
  }
  for (const [source, list] of Object.entries(tables.identities)) {
    for (const row of list) {
      // Of what was sent as poison some can be read after all.
      if (row.id.startsWith(poisonPrefix)) continue;
      const one = sent.get(row.id);
      const same = one && one.source === source && one.key === row.key && one.at === row.at;
      if (!same) wrong.push(`${source}: ${row.id} ${row.key} ${new Date(row.at).toISOString()}`);
    }
  }
  const twice = rows.filter((row) => row.rows > 1).map(({ id, rows }) => `${id} ${rows} times`);
  twice.push(...tables.late.filter((row) => row.rows > 1).map(({ id }) => `late ${id}`));
  twice.push(...tables.pairsLate.filter((row) => row.rows > 1).map(({ id }) => `late for its pair ${id}`));
  twice.push(...tables.pairs.filter((row) => row.rows > 1).map(({ id, call }) => `pair ${id} ${call}`));
  return {
    ...counts,
    missing,
    twice,
    wrong,
    windows: compareWindows(tables, rows, closedUntil),
    pairs: comparePairs(tables),
    alerts: compareAlerts(tables),
    late: tables.late.length,
  };
}

/** An event is in its window or in the table of the late, never in both, never in neither. */
function compareWindows(tables: Tables, rows: readonly IdentityRow[], closedUntil: number): Compared {
  const late = new Set(tables.late.map(({ id }) => id));
  const expected = new Map<string, { events: number; first: number; last: number }>();
  for (const { id, key, at } of rows) {
    const start = Math.floor(at / windowMs) * windowMs;
    if (late.has(id) || start + windowMs > closedUntil) continue;
    const name = `${key} ${start}`;
    const window = expected.get(name) ?? { events: 0, first: Number.POSITIVE_INFINITY, last: 0 };
    window.events++;
    window.first = Math.min(window.first, at);
    window.last = Math.max(window.last, at);
    expected.set(name, window);
  }
  const different: string[] = [];
  const seen = new Set<string>();
  for (const { key, start, end, events, first, last } of tables.windows) {
    if (end > closedUntil) continue;
    const name = `${key} ${start}`;
    const place = `${key} ${new Date(start).toISOString()}`;
    if (seen.has(name)) different.push(`${place}: twice`);
    seen.add(name);
    const wanted = expected.get(name);
    if (!wanted) different.push(`${place}: ${events} events where there are none`);
    else if (wanted.events !== events || wanted.first !== first || wanted.last !== last) {
      different.push(`${place}: ${events} events, wanted ${wanted.events}`);
    }
  }
  for (const [name, { events }] of expected)
    if (!seen.has(name)) different.push(`${name}: no window, wanted ${events}`);
  return { compared: expected.size, different };
}

function comparePairs(tables: Tables): Compared {
  const late = new Set(tables.pairsLate.map(({ id }) => id));
  const calls = new Map<string, IdentityRow[]>();
  for (const call of tables.identities.calls) {
    if (!late.has(call.id)) calls.set(call.pair, [...(calls.get(call.pair) ?? []), call]);
  }
  const expected = new Set<string>();
  for (const visit of tables.identities.visits) {
    if (late.has(visit.id)) continue;
    for (const call of calls.get(visit.pair) ?? []) {
      if (Math.abs(call.at - visit.at) <= pairWithinMs) expected.add(`${visit.id} ${call.id}`);
    }
  }
  const actual = new Set(tables.pairs.map(({ id, call }) => `${id} ${call}`));
  const different = [
    ...[...expected].filter((pair) => !actual.has(pair)).map((pair) => `${pair} is missing`),
    ...[...actual].filter((pair) => !expected.has(pair)).map((pair) => `${pair} is no pair`),
  ];
  return { compared: expected.size, different };
}

/** Over the windows as the engine wrote them, which are compared by themselves. */
function compareAlerts({ windows, alerts }: Tables): Compared {
  const expected: string[] = [];
  const open = new Set<string>();
  for (const { key, end, events } of [...windows].sort((a, b) => a.end - b.end)) {
    const state = events >= crowdedFrom ? 'raised' : 'cleared';
    if (open.has(key) === (state === 'raised')) continue;
    state === 'raised' ? open.add(key) : open.delete(key);
    expected.push(`${key} ${new Date(end - 1).toISOString()} ${state} ${events}`);
  }
  const actual = alerts.map(({ key, at, state, events }) => `${key} ${new Date(at).toISOString()} ${state} ${events}`);
  const [wanted, given] = [new Set(expected), new Set(actual)];
  const different = [
    ...expected.filter((row) => !given.has(row)).map((row) => `${row} is missing`),
    ...actual
      .filter((row, index) => !wanted.has(row) || actual.indexOf(row) !== index)
      .map((row) => `${row} is one too many`),
  ];
  return { compared: expected.length, different };
}

/** What is wrong, in words; nothing when all is as it must be. */
export function problemsOf(verdict: Verdict): string[] {
  const problems: string[] = [];
  const add = (what: string, list: readonly string[]) => {
    if (list.length === 0) return;
    problems.push(
      `${list.length} ${what}: ${list.slice(0, namedMax).join(', ')}${list.length > namedMax ? ', ...' : ''}`,
    );
  };
  add('ids that are owed are missing', verdict.missing);
  add('rows are there twice', verdict.twice);
  add('rows are not what was sent', verdict.wrong);
  add('windows differ from the batch computation', verdict.windows.different);
  add('pairs differ from the batch computation', verdict.pairs.different);
  add('alerts differ from the batch computation', verdict.alerts.different);
  if (verdict.refused > 0) problems.push(`${verdict.refused} right messages were refused`);
  return problems;
}
