/** One query by several contenders: rows checked first, then timed in turns (A B C, A B C, ...), so that a busy moment falls on all. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stderr } from 'node:process';
import type { PeerRequest, PeerTimes } from '../peers/request.ts';
import type { Contender } from './contenders.ts';
import type { PeerProcess } from './peer-process.ts';
import { waitUntilQuiet } from './quiet.ts';
import { hashRows } from './rows-file.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface CompareSettings {
  readonly events: number;
  readonly checkEvents: number;
  readonly seed: number;
  readonly rate: number;
  readonly disorder: number;
  readonly runs: number;
  /** So long each contender runs before it is timed, and once at least: compilers of V8 and of the JVM are busy for seconds, and an engine runs for months. */
  readonly warmUpMs: number;
  readonly over: 'generator' | 'objects';
}

/** Files of events, each written once. */
export interface LineFiles {
  fileOf(request: PeerRequest): Promise<string>;
}

type Settings = CompareSettings & { readonly lines: LineFiles };

export interface Measurement {
  readonly query: string;
  readonly contender: string;
  readonly events: number;
  readonly eventsPerSecond: Spread;
  /** Events/s of each turn. Absent from what was kept before turns were. */
  readonly turns?: readonly number[];
  readonly cpuSecondsPerMillion: Spread;
  readonly checkedRows: number;
  readonly sha256: string;
}

/** It takes no part in this query, or failed in it. */
export interface Missing {
  readonly query: string;
  readonly contender: string;
  readonly reason: string;
}

export type Outcome = Measurement | Missing;

export const isMissing = (outcome: Outcome): outcome is Missing => 'reason' in outcome;

interface Runner {
  readonly contender: Contender;
  readonly process: PeerProcess;
}

interface Checked extends Runner {
  readonly rows: { readonly count: number; readonly sha256: string };
  readonly events: number;
  readonly rates: number[];
  readonly cpus: number[];
}

export async function measureQuery(query: string, runners: readonly Runner[], settings: Settings): Promise<Outcome[]> {
  const missing: Missing[] = [];
  const checked: Checked[] = [];
  for (const runner of runners) {
    const { eventsMax, eventsMaxOf } = runner.contender;
    const events = Math.min(settings.events, eventsMaxOf?.[query] ?? eventsMax ?? settings.events);
    const rows = await check(query, runner, settings);
    if ('reason' in rows) missing.push({ query, contender: runner.contender.name, reason: rows.reason });
    else checked.push({ ...runner, rows, events, rates: [], cpus: [] });
  }
  const those = async (all: readonly Checked[], problemOf: (one: Checked) => Promise<string | undefined>) => {
    const able: Checked[] = [];
    for (const one of all) {
      const problem = await problemOf(one);
      if (problem === undefined) able.push(one);
      else missing.push({ query, contender: one.contender.name, reason: problem });
    }
    return able;
  };
  let running = await those(checked, (one) => warmUp(query, one, settings));
  for (let run = 0; run < settings.runs; run++) running = await those(running, (one) => timeOnce(query, one, settings));
  const measured = running.map(
    ({ contender, rows, rates, cpus, events }): Measurement => ({
      query,
      contender: contender.name,
      events,
      eventsPerSecond: spreadOf(rates),
      turns: rates,
      cpuSecondsPerMillion: spreadOf(cpus),
      checkedRows: rows.count,
      sha256: rows.sha256,
    }),
  );
  return [...measured, ...missing];
}

async function check(
  query: string,
  { contender, process }: Runner,
  { checkEvents, seed, rate, disorder, lines }: Settings,
): Promise<{ count: number; sha256: string } | { reason: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mach-compare-'));
  try {
    const file = join(folder, 'rows');
    const request: PeerRequest = { query, events: checkEvents, seed, rate, disorder, rows: file };
    const answer = await process.ask(contender.lines ? { ...request, lines: await lines.fileOf(request) } : request);
    if ('unsupported' in answer) return { reason: answer.unsupported };
    if ('error' in answer) return { reason: answer.error };
    return await hashRows(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Says why it failed. */
async function warmUp(query: string, one: Checked, settings: Settings): Promise<string | undefined> {
  const began = performance.now();
  do {
    const answer = await runOnce(query, one, settings);
    if (typeof answer === 'string') return answer;
  } while (performance.now() - began < settings.warmUpMs);
  return undefined;
}

/** Says why it failed. */
async function timeOnce(query: string, one: Checked, settings: Settings): Promise<string | undefined> {
  if (!(await waitUntilQuiet())) stderr.write(`${query}: the machine was not quiet before ${one.contender.name}\n`);
  const answer = await runOnce(query, one, settings);
  if (typeof answer === 'string') return answer;
  one.rates.push(one.events / answer.seconds);
  one.cpus.push((answer.cpu_seconds * 1e6) / one.events);
  return undefined;
}

async function runOnce(
  query: string,
  { contender, process, events }: Checked,
  { seed, rate, disorder, over, lines }: Settings,
): Promise<PeerTimes | string> {
  const request: PeerRequest = { query, events, seed, rate, disorder, over };
  const answer = await process.ask(contender.lines ? { ...request, lines: await lines.fileOf(request) } : request);
  if ('unsupported' in answer) return answer.unsupported;
  return 'error' in answer ? answer.error : answer;
}

/**
 * Contenders whose rows differ from those of most others of the same query: a fast wrong answer. Where no answer has most votes, nobody can tell
 * whose is right, and all are named.
 */
export function wrongRows(outcomes: readonly Outcome[]): readonly Measurement[] {
  return [...byQuery(outcomes).values()].flatMap((measured) => {
    const votes = new Map<string, number>();
    for (const { sha256 } of measured) votes.set(sha256, (votes.get(sha256) ?? 0) + 1);
    const most = Math.max(...votes.values());
    const winners = [...votes].filter(([, count]) => count === most);
    const right = winners.length === 1 ? winners[0]?.[0] : undefined;
    return measured.filter(({ sha256 }) => sha256 !== right);
  });
}

/** Queries of which several contenders gave rows, and all the same. */
export function agreedQueries(outcomes: readonly Outcome[]): readonly string[] {
  const wrong = new Set(wrongRows(outcomes).map(({ query }) => query));
  return [...byQuery(outcomes)].flatMap(([query, measured]) =>
    measured.length > 1 && !wrong.has(query) ? [query] : [],
  );
}

function byQuery(outcomes: readonly Outcome[]): ReadonlyMap<string, readonly Measurement[]> {
  const found = new Map<string, Measurement[]>();
  for (const outcome of outcomes)
    if (!isMissing(outcome)) found.set(outcome.query, [...(found.get(outcome.query) ?? []), outcome]);
  return found;
}
