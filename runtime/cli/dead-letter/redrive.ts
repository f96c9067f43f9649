import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../clock.ts';
import type { DeadLetterEntry, DeadLetterFilter } from '../../execution/dead-letters/book.ts';
import { type RedriveResult, redriveDeadLetters } from '../../execution/dead-letters/redrive.ts';
import { limits } from '../../limits.ts';
import { parseDuration } from '../../stream/options.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { cliLimits } from '../limits.ts';
import { takesDuration } from '../takes.ts';
import {
  countOf,
  type FilterFlags,
  filterOf,
  findEntry,
  type OpenDeadLetters,
  refuseUnknownNode,
  withDeadLetters,
} from './open.ts';
import { type DeadLetterState, describeState, stateInBook } from './state.ts';

export interface RedriveFlags extends FilterFlags {
  readonly data: string;
  readonly all?: true;
  readonly dryRun?: true;
  readonly limit?: string;
  readonly rate?: string;
  readonly wait?: string;
  readonly json?: true;
}

type Ended = ReadonlyMap<string, DeadLetterState>;

export async function redrive(
  file: string,
  ids: readonly string[],
  flags: RedriveFlags,
  context: CommandContext,
): Promise<void> {
  const { node, code, since, all } = flags;
  if (ids.length === 0 && node === undefined && code === undefined && since === undefined && !all) {
    throw cliErrors.make('MACH1632');
  }
  const settings = {
    limit: countOf('--limit', flags.limit, cliLimits.deadLettersRedriven),
    perSecond: countOf('--rate', flags.rate, limits.redrivesPerSecond),
    waitMs: flags.wait === undefined ? 0 : durationOf(flags.wait),
  };
  const filter = filterOf(flags);
  const left = await withDeadLetters(file, flags, context, async (open) => {
    const { chosen, more } = await choose(open, ids, { flags, filter, limit: settings.limit });
    const results = await run(open, chosen, flags, { ...settings, context });
    const redriven = results.filter(({ outcome }) => outcome === 'redriven').map(({ entry }) => entry);
    const ended = flags.dryRun ? new Map() : await untilEnded(open, redriven, settings.waitMs);
    if (flags.json)
      context.print(JSON.stringify(toJson(results, ended, { dryRun: flags.dryRun === true, more }), null, 2));
    else for (const line of describe(results, ended, { open, more, flags })) context.print(line);
    return results.filter((result) => result.outcome === 'left' || isStill(result)).length;
  });
  if (left > 0) throw new CommandExit(exitCodes.found);
}

/** Oldest first. Those that have been redriven are passed over, unless they are named. */
async function choose(
  open: OpenDeadLetters,
  ids: readonly string[],
  { flags, filter, limit }: { flags: RedriveFlags; filter: DeadLetterFilter; limit: number },
): Promise<{ chosen: DeadLetterEntry[]; more: number }> {
  const book = await open.book(ids.length > 0 ? {} : filter);
  if (ids.length === 0) refuseUnknownNode(flags.node, open.topology, book);
  const named = new Set(ids.map((id) => findEntry(book.entries, id)));
  const wanted = book.entries.filter((entry) =>
    ids.length > 0 ? named.has(entry) : stateInBook(book, entry.id).state === 'open',
  );
  return { chosen: wanted.slice(0, limit), more: wanted.length - Math.min(wanted.length, limit) + book.passedOver };
}

async function run(
  { topology, names, deadLetters, input, isOtherVersion }: OpenDeadLetters,
  entries: readonly DeadLetterEntry[],
  { dryRun, json }: RedriveFlags,
  { perSecond, context }: { perSecond: number; context: CommandContext },
): Promise<RedriveResult[]> {
  if (!deadLetters || !input) return [];
  const results: RedriveResult[] = [];
  const clock = systemClock();
  const options = {
    entries,
    topology,
    names,
    deadLetters,
    input,
    clock,
    perSecond,
    isOtherVersion,
    dryRun: dryRun === true,
  };
  for await (const result of redriveDeadLetters(options)) {
    results.push(result);
    if (!json && result.problem !== null) context.printError(describeProblem(result));
  }
  return results;
}

function describeProblem({ entry: { id, node }, outcome, problem }: RedriveResult): string {
  return `${id}  ${node}  ${outcome === 'left' ? 'cannot go in' : 'still cannot be decoded'}: ${problem}`;
}

/** What became of the letters that went in, of those that were handled in time. */
async function untilEnded(open: OpenDeadLetters, entries: readonly DeadLetterEntry[], waitMs: number): Promise<Ended> {
  const ended = new Map<string, DeadLetterState>();
  if (waitMs === 0 || entries.length === 0) return ended;
  const deadline = AbortSignal.timeout(waitMs);
  for (;;) {
    const book = await open.book();
    for (const { id } of entries) {
      const state = stateInBook(book, id);
      if (state.state !== 'open') ended.set(id, state);
    }
    if (ended.size === entries.length || deadline.aborted) return ended;
    await sleep(cliLimits.redriveWaitEveryMs);
  }
}

/** It went in, and nothing comes of it: another letter is made. */
function isStill({ outcome, events, problem }: RedriveResult): boolean {
  return outcome === 'redriven' && events === 0 && problem !== null;
}

function countsOf(results: readonly RedriveResult[]) {
  const count = (wanted: RedriveResult['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  const still = results.filter(isStill).length;
  return { redriven: count('redriven'), still, before: count('before'), left: count('left') };
}

function toJson(results: readonly RedriveResult[], ended: Ended, { dryRun, more }: { dryRun: boolean; more: number }) {
  const letters = results.map(({ entry: { id, node, code }, outcome, events, problem }) => {
    const { state = null, outcomes = null, next = null } = ended.get(id) ?? {};
    return { id, node, code, outcome, events, problem, state, outcomes, next };
  });
  return { dry_run: dryRun, ...countsOf(results), more, letters };
}

function describe(
  results: readonly RedriveResult[],
  ended: Ended,
  { open, more, flags }: { open: OpenDeadLetters; more: number; flags: RedriveFlags },
): string[] {
  const { redriven, still, before, left } = countsOf(results);
  const verb = flags.dryRun ? 'would go in again' : 'went in again';
  const ofThem = still === 0 ? '' : ` (${still} of them still cannot be decoded)`;
  const lines = [`${redriven} ${verb}${ofThem}, ${before} had been redriven before, ${left} cannot go in`];
  if (more > 0) lines.push(`${more} more are open (--limit)`);
  if (flags.dryRun || redriven === 0) return lines;
  const counts = new Map<string, number>();
  for (const state of ended.values()) {
    const what = state.state === 'failed again' ? 'failed again' : describeState(state);
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  for (const [what, count] of counts) lines.push(`${count} ${what}`);
  const waiting = redriven - ended.size;
  if (open.isQuiet) lines.push('no engine runs here: they are handled when one starts');
  else if (flags.wait !== undefined && waiting > 0) lines.push(`${waiting} have not been handled yet`);
  return lines;
}

function durationOf(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined)
    throw cliErrors.make('MACH1620', { option: '--wait', value: text, takes: takesDuration });
  return durationMs;
}
