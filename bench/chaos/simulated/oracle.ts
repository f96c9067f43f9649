/**
 * The judge. Everything that a sender was told is safe is owed: it must be in the log once, and what the topology makes of it in its
 * tables once; windows, joins and alerts must be what a batch computation over the same log gives; every event must be accounted for.
 */
import type { MemoryStorage } from '../../../runtime/bus/memory/storage.ts';
import { deadLetterId, decodeDeadLetterRows } from '../../../runtime/execution/dead-letter.ts';
import { type Accounting, isBalanced } from '../../../runtime/stream/ledger.ts';
import type { Event } from '../../../runtime/stream/schema.ts';
import { topologyNames } from '../../../runtime/topology/names.ts';
import { type Batch, computeBatch } from './batch.ts';
import type { SentRequest } from './senders.ts';
import { type SimulatedStore, type StoredRow, valueRefusedByStore } from './simulated-store.ts';
import { type Walk, walkInput } from './walk.ts';
import type { WorkloadName } from './workloads.ts';

export interface Evidence {
  readonly workload: WorkloadName;
  readonly topology: string;
  readonly storage: MemoryStorage;
  readonly store: SimulatedStore;
  readonly requests: readonly SentRequest[];
  readonly accounting: Accounting;
  /** After how long an origin counts as silent. */
  readonly idleMs: number;
  /** Somebody has set the clock of a process. */
  readonly clockJumped: boolean;
}

export interface Verdict {
  readonly problems: readonly string[];
  /** Events and unreadable texts that senders were told are safe. */
  readonly owed: number;
  /** Of those, how many are where they must be. */
  readonly found: number;
  readonly missing: number;
  /** Rows and dead letters that are there more often than they must be. */
  readonly twice: number;
  /** Rows that nothing accounts for. */
  readonly wrong: number;
  readonly late: number;
  /** Events that came again in a request that the log had already. */
  readonly resent: number;
}

const shownMax = 5;

function countOf(items: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

class Findings {
  readonly problems: string[] = [];
  missing = 0;
  twice = 0;
  wrong = 0;

  compare(what: string, expected: readonly string[], found: readonly string[]): void {
    const wanted = countOf(expected);
    const there = countOf(found);
    const missing = [...wanted].filter(([item, count]) => (there.get(item) ?? 0) < count).map(([item]) => item);
    const more = [...there].filter(([item, count]) => count > (wanted.get(item) ?? 0)).map(([item]) => item);
    const twice = more.filter((item) => wanted.has(item) || (there.get(item) ?? 0) > 1);
    const wrong = more.filter((item) => !wanted.has(item));
    this.missing += missing.length;
    this.twice += twice.length;
    this.wrong += wrong.length;
    this.list(`${what}: missing`, missing);
    this.list(`${what}: twice`, twice);
    this.list(`${what}: nothing accounts for`, wrong);
  }

  equal(what: string, found: number, expected: number): void {
    if (found !== expected) this.problems.push(`${what}: ${found}, must be ${expected}`);
  }

  list(what: string, items: readonly string[]): void {
    if (items.length === 0) return;
    const more = items.length > shownMax ? ` and ${items.length - shownMax} more` : '';
    this.problems.push(`${what} ${items.slice(0, shownMax).join('; ')}${more}`);
  }
}

const keyOfWindow = ({ hospital, window_start: begin }: Event) => `${hospital} ${begin}`;

/** The newest word on each window; a word that is there twice is reported as it is. */
function newestWindows(rows: readonly StoredRow[]): string[] {
  const newest = new Map<string, number>();
  for (const { event } of rows) {
    const key = keyOfWindow(event);
    newest.set(key, Math.max(newest.get(key) ?? 0, event.revision as number));
  }
  return rows
    .filter(({ event }) => event.revision === newest.get(keyOfWindow(event)))
    .map(({ event }) => `${keyOfWindow(event)} ${event.patients} ${event.total} ${event.most}`);
}

const linesOf: Readonly<Record<string, (rows: readonly StoredRow[]) => string[]>> = {
  rows: (rows) => rows.map(({ event }) => `${event.serial} ${event.value}`),
  valid: (rows) => rows.map(({ event }) => `${event.serial} ${event.value}`),
  sums: newestWindows,
  paired: (rows) => rows.map(({ event }) => `${event.serial} ${event.right_serial}`),
  alerts: (rows) => rows.map(({ event }) => `${event.hospital} ${event.state} ${event.at}`),
  answers: (rows) => rows.map(({ event }) => `${event.serial}`),
};

/** What a look-up answers about an event. */
export const answerTo = ({ serial }: Event): number => (serial as number) * 7 + 1;

function checkTables(findings: Findings, { workload, store }: Evidence, walk: Walk) {
  const batch = computeBatch(workload, walk);
  for (const [table, expected] of Object.entries(batch.tables)) {
    const rows = store.rows(table).filter(({ event }) => !batch.unsaid.has(keyOfWindow(event)));
    findings.compare(`table ${table}`, expected, linesOf[table]?.(rows) ?? []);
    const places = store
      .rows(table)
      .map(({ stage, partition, sequence, index }) => `${stage}/${partition}/${sequence}/${index}`);
    findings.list(
      `table ${table}: one identity, two rows:`,
      [...countOf(places)].filter(([, count]) => count > 1).map(([place]) => place),
    );
  }
  const answers = store.rows('answers').filter(({ event }) => event.failure === null);
  findings.list(
    'answers of another event:',
    answers.filter(({ event }) => event.answer !== answerTo(event)).map(({ event }) => `${event.serial}`),
  );
  findings.list('tokens that came with other rows:', [...store.misused]);
  return batch;
}

/** Everything owed is in the log, once; what nobody was told of is there once at most. */
function checkLog(findings: Findings, { requests }: Evidence, walk: Walk): { owed: number; found: number } {
  const serials = countOf(walk.events.map(({ serial }) => String(serial)));
  const texts = countOf(walk.unreadable);
  let owed = 0;
  let found = 0;
  const missing: string[] = [];
  const twice: string[] = [];
  for (const { origin, id, events, unreadable, state } of requests) {
    const items = [
      ...events.map(({ serial }) => ({ name: `${serial}`, count: serials.get(String(serial)) ?? 0 })),
      ...unreadable.map((text) => ({ name: text, count: texts.get(text) ?? 0 })),
    ];
    for (const { name, count } of items) {
      const where = `${name} (${origin} ${id})`;
      if (count > 1) twice.push(where);
      if (state !== 'owed') continue;
      owed++;
      if (count === 0) missing.push(where);
      else found++;
    }
  }
  findings.missing += missing.length;
  findings.twice += twice.length;
  findings.list('owed, but not in the log:', missing);
  findings.list('accepted twice:', twice);
  return { owed, found };
}

/** What a dead letter is about, by what it carries. */
function subjectOf(raw: string): string {
  const text = Buffer.from(raw, 'base64').toString();
  const serial = /"serial":(\d+)/.exec(text)?.[1];
  return serial ? `event ${serial}` : text;
}

function checkDeadLetters(findings: Findings, { storage, topology }: Evidence, walk: Walk): void {
  const stream = storage.streams.get(topologyNames(topology).deadLetterStream);
  // A letter is known by its id: one that two owners wrote is one for whoever reads it.
  const letters = new Map<string, string>();
  for (const { payload } of stream?.messages.values() ?? []) {
    for (const row of decodeDeadLetterRows(payload)) letters.set(deadLetterId(row), subjectOf(row.event.raw));
  }
  const turnedAway = walk.events.filter(({ source, value }) =>
    source === 'beds' ? value === null : value === valueRefusedByStore,
  );
  findings.compare(
    'dead letters',
    [...walk.unreadable, ...turnedAway.map(({ serial }) => `event ${serial}`)],
    [...letters.values()],
  );
}

function checkAccounting(findings: Findings, evidence: Evidence, walk: Walk, batch: Batch): void {
  const { accounting } = evidence;
  const { dropped_by_reason: dropped } = accounting;
  if (!isBalanced(accounting)) findings.problems.push(`not balanced: ${JSON.stringify(accounting)}`);
  const unreadable = walk.unreadable.length;
  findings.equal('accounted for', accounting.in, walk.events.length + walk.repeated + unreadable);
  findings.equal('counted late', accounting.late, batch.late);
  findings.equal('counted as appended twice', dropped['appended twice'] ?? 0, walk.repeated);
  findings.equal('counted as duplicate', dropped.duplicate ?? 0, batch.duplicates);
  findings.equal('counted as older than its alert', dropped['older than its alert'] ?? 0, batch.older);
  findings.equal('counted as dead letters', accounting.dead_lettered, batch.noValue + unreadable);
  findings.equal('dropped', accounting.dropped, walk.repeated + batch.duplicates + batch.older);
}

export function judge(evidence: Evidence): Verdict {
  const findings = new Findings();
  const walk = walkInput(evidence.storage, evidence.topology, evidence.idleMs);
  if (!evidence.clockJumped && walk.aheadMs > 0) {
    findings.problems.push(`event time ran ${walk.aheadMs} ms ahead of the clock`);
  }
  const { owed, found } = checkLog(findings, evidence, walk);
  const batch = checkTables(findings, evidence, walk);
  checkDeadLetters(findings, evidence, walk);
  checkAccounting(findings, evidence, walk, batch);
  const { problems, missing, twice, wrong } = findings;
  return { problems, owed, found, missing, twice, wrong, late: batch.late, resent: walk.repeated };
}
