/** Looking for matches among the events of one key, in their order: one beginning after the other, each until it is decided. */
import { patternLimits } from './limits.ts';
import type { PatternProgram, Row, View } from './program.ts';
import { extendThreads, newThread, type Thread } from './threads.ts';

/** Plain data, for checkpoints. */
export interface Run {
  /** Place in the order in which keys came; decides between matches of one time. */
  readonly order: number;
  /** Not yet passed by the watermark, in the order of their times. */
  waiting: Row[];
  /** From before the beginning that is looked at; `from` is its place. */
  rows: Row[];
  from: number;
  /** Place of the next event to be looked at. */
  at: number;
  threads: Thread[];
  /** The preferred of the ways that are complete; a longer one may still take its place. */
  complete: Thread | null;
  /** When something of it can be looked at or decided. */
  dueAt: number;
}

export function newRun(order: number): Run {
  return { order, waiting: [], rows: [], from: 0, at: 0, threads: [], complete: null, dueAt: Number.POSITIVE_INFINITY };
}

export interface Found {
  /** A match; or a beginning that was given up, with the reason. */
  match(first: Row, last: Row, thread: Thread, run: Run): void;
  gaveUp(first: Row, what: string, bound: keyof typeof patternLimits): void;
}

/** Whether a beginning is looked at that later events, or the time, will decide. */
export function isUndecided({ threads }: Run): boolean {
  return threads.length > 0;
}

/** The time after which no event can belong to the match that is looked at. */
export function lastTimeOf({ rows, from, threads }: Run, { withinMs }: PatternProgram): number {
  return threads.length === 0 ? Number.POSITIVE_INFINITY : (rows[from] as Row).time + withinMs;
}

/** Looks at all the rows that are there. */
export function lookOn(program: PatternProgram, view: View, run: Run, found: Found): void {
  while (run.at < run.rows.length) {
    if (run.threads.length === 0) run.threads = [newThread(program.steps)];
    const first = run.rows[run.from] as Row;
    if ((run.rows[run.at] as Row).time - first.time > program.withinMs) {
      decide(program, run, found);
      continue;
    }
    const { threads, complete } = extendThreads(program, view, { ...run, place: run.at });
    run.at++;
    run.threads = threads;
    if (complete) run.complete = complete;
    if (threads.length === 0) decide(program, run, found);
    else if (threads.length > patternLimits.waysPerMatchMax)
      giveUp(run, found, 'its events fit in too many ways', 'waysPerMatchMax');
    else if (run.at - run.from > patternLimits.rowsPerMatchMax)
      giveUp(run, found, 'it has too many events', 'rowsPerMatchMax');
  }
}

/** No more events come for the beginning that is looked at: it is a match as it stands, or none. */
export function decide(program: PatternProgram, run: Run, found: Found): void {
  const { complete, from, rows } = run;
  let next = from + 1;
  if (complete) {
    found.match(rows[from] as Row, rows[complete.previous] as Row, complete, run);
    next = Math.max(next, placeAfter(program, complete));
  }
  beginAt(run, next);
}

function giveUp(run: Run, found: Found, what: string, bound: keyof typeof patternLimits): void {
  const { complete, from, rows, at } = run;
  if (complete) found.match(rows[from] as Row, rows[complete.previous] as Row, complete, run);
  else found.gaveUp(rows[from] as Row, what, bound);
  beginAt(run, at);
}

function placeAfter({ goOn }: PatternProgram, { previous, firsts, lasts, counts }: Thread): number {
  if (goOn.kind === 'after_match') return previous + 1;
  if (goOn.kind === 'next_event' || counts[goOn.step] === 0) return 0;
  return (goOn.kind === 'at_first' ? firsts : lasts)[goOn.step] as number;
}

/** Rows that have been left behind are taken out now and then, all at once. */
const leftBehindMax = 32;

function beginAt(run: Run, place: number): void {
  run.threads = [];
  run.complete = null;
  run.from = place;
  run.at = place;
  if (place < run.rows.length && place < leftBehindMax) return;
  run.rows = run.rows.slice(place);
  run.from = 0;
  run.at = 0;
}
