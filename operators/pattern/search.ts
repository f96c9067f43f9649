/**
 * Looking for matches among the events of one key, in their order: one beginning after the other, each until it is decided. Of the ways in
 * which the events since a beginning fit, one that is complete is preferred to all that stand behind it, and gives way to those before it.
 */
import type { Event } from '../../runtime/stream/index.ts';
import type { Candidates } from './candidates.ts';
import { patternLimits } from './limits.ts';
import type { PatternProgram, Step } from './program.ts';
import { beginAt, noThreads, type Run } from './run.ts';
import { copyThread, countOf, firstOf, lastOf, newThread, type Thread, take } from './threads.ts';
import { type Variables, View } from './view.ts';

export interface Found {
  /** A match, from the beginning of the run to the last event of the thread. */
  match(run: Run, thread: Thread, variables: Variables): void;
  /** A beginning that was given up, and why. */
  gaveUp(run: Run, what: string, bound: keyof typeof patternLimits): void;
}

export class Search {
  private readonly program: PatternProgram;
  private readonly found: Found;
  private readonly view: View;
  private readonly beginning: readonly [Thread];
  /** No match has one event alone. */
  readonly isNeverOfOne: boolean;
  /** Of the event that is looked at: steps that take it into one thread, and the threads that go on. Only so many of each stand for something. */
  private readonly targets: number[] = [];
  private readonly next: Thread[] = [];

  constructor(program: PatternProgram, found: Found) {
    this.program = program;
    this.found = found;
    this.view = new View(program.steps);
    this.beginning = [newThread(program.steps)];
    this.isNeverOfOne = program.candidates.begin.every((to) => !isCompleteWith(program.steps[to] as Step, 1));
  }

  /** Whether a match can begin with an event. */
  canBegin(event: Event): boolean {
    const variables = this.view.show(this.beginning[0], { events: [], from: 0 });
    return this.takersOf(event, { candidates: this.program.candidates.begin, isBehindGap: false, variables }) > 0;
  }

  /** The time after which no event can belong to the match that is looked at. */
  lastTimeOf({ times, from, threads }: Run): number {
    return threads.length === 0 ? Number.POSITIVE_INFINITY : (times[from] as number) + this.program.withinMs;
  }

  /** Looks at the events before a place. */
  lookOn(run: Run, until: number): void {
    const { withinMs } = this.program;
    while (run.at < until) {
      const { times, from, at } = run;
      if ((times[at] as number) - (times[from] as number) > withinMs) {
        this.decide(run);
        continue;
      }
      this.extend(run);
      run.at++;
      const { length } = run.threads;
      if (length === 0) this.decide(run);
      else if (length > patternLimits.waysPerMatchMax)
        this.giveUp(run, 'its events fit in too many ways', 'waysPerMatchMax');
      else if (run.at - from > patternLimits.rowsPerMatchMax)
        this.giveUp(run, 'it has too many events', 'rowsPerMatchMax');
    }
  }

  /** No more events come for the beginning that is looked at: it is a match as it stands, or none. */
  decide(run: Run): void {
    const { complete, from } = run;
    if (!complete) {
      beginAt(run, from + 1);
      return;
    }
    this.found.match(run, complete, this.view.show(complete, run));
    beginAt(run, from + Math.max(1, placeAfter(this.program, complete)));
  }

  private giveUp(run: Run, what: string, bound: keyof typeof patternLimits): void {
    const { complete, at } = run;
    if (complete) this.found.match(run, complete, this.view.show(complete, run));
    else this.found.gaveUp(run, what, bound);
    beginAt(run, at);
  }

  /** Takes the next event into each way that it fits; ways that it does not fit end. */
  private extend(run: Run): void {
    const { beginning, next, program } = this;
    const { steps } = program;
    const { at, from } = run;
    const event = run.events[at] as Event;
    const time = run.times[at] as number;
    const given = run.threads.length === 0 ? beginning : run.threads;
    let count = 0;
    for (let index = 0; index < given.length; index++) {
      const thread = given[index] as Thread;
      const candidates = candidatesFor(thread, program);
      const isBehindGap = thread.previous >= 0 && thread.previous < at - from - 1;
      const targets = this.takersOf(event, { candidates, isBehindGap, variables: this.view.show(thread, run) });
      // What does not belong to a step that may follow later is passed over.
      if (targets === 0 && thread.previous >= 0 && candidates.some((to) => steps[to]?.later)) next[count++] = thread;
      for (let target = 0; target < targets; target++) {
        const to = this.targets[target] as number;
        const step = steps[to] as Step;
        const stays = target < targets - 1 || thread === run.complete || given === beginning;
        const longer = stays ? copyThread(thread, steps) : thread;
        take(longer, { to, step, place: at - from, event, time });
        const taken = countOf(longer, to);
        const isComplete = isCompleteWith(step, taken);
        const isAtEnd = isComplete && to === steps.length - 1 && (step.shortest || taken >= step.max);
        if (!isAtEnd) next[count++] = longer;
        if (!isComplete) continue;
        run.complete = longer;
        run.threads = this.nextOf(count, given);
        return;
      }
    }
    run.threads = this.nextOf(count, given);
  }

  /** Gathers those among the candidates that take an event, and gives how many they are. Behind a gap none follows directly. */
  private takersOf(
    event: Event,
    at: { candidates: readonly number[]; isBehindGap: boolean; variables: Variables },
  ): number {
    const { targets, program } = this;
    const { candidates, isBehindGap, variables } = at;
    let count = 0;
    for (let index = 0; index < candidates.length; index++) {
      const to = candidates[index] as number;
      const { later, until, when } = program.steps[to] as Step;
      if (isBehindGap && !later) continue;
      if (until?.evaluate(event, variables) === true) continue;
      if (!when || when.evaluate(event, variables) === true) targets[count++] = to;
    }
    return count;
  }

  private nextOf(count: number, given: readonly Thread[]): readonly Thread[] {
    const { next } = this;
    if (count === 0) return noThreads;
    // Mostly there is one way.
    if (count === 1 && given.length === 1 && next[0] === given[0]) return given;
    return next.slice(0, count);
  }
}

/** Whether a match is complete whose last step has taken so many events. */
function isCompleteWith({ mayBeLast, min }: Step, taken: number): boolean {
  return mayBeLast && taken >= min;
}

function candidatesFor(thread: Thread, { candidates, steps }: PatternProgram): readonly number[] {
  const { at } = thread;
  const count = countOf(thread, at);
  if (count === 0) return candidates.begin;
  const { min, max } = steps[at] as Step;
  const { few, enough, full } = candidates.after[at] as Candidates['after'][number];
  if (count < min) return few;
  return count < max ? enough : full;
}

/** Counted from the beginning of the match. */
function placeAfter({ goOn }: PatternProgram, thread: Thread): number {
  if (goOn.kind === 'after_match') return thread.previous + 1;
  if (goOn.kind === 'next_event' || countOf(thread, goOn.step) === 0) return 0;
  return goOn.kind === 'at_first' ? firstOf(thread, goOn.step) : lastOf(thread, goOn.step);
}
