/** The events of each key in the order of their times, once the watermark has passed them, and the matches among them. */
import type {
  Event,
  KeyedState,
  OperatorContext,
  OperatorHandler,
  Output,
  StateKey,
} from '../../runtime/stream/index.ts';
import { operatorErrors } from '../errors.ts';
import { Ends } from '../support/ends.ts';
import { turnAway } from '../support/turn-away.ts';
import { patternLimits } from './limits.ts';
import { type PatternProgram, type Row, View } from './program.ts';
import { decide, type Found, isUndecided, lastTimeOf, lookOn, newRun, type Run } from './run.ts';

interface Match {
  readonly event: Event;
  /** When it was decided. */
  readonly time: number;
  readonly order: number;
}

export class PatternHandler implements OperatorHandler {
  private readonly program: PatternProgram;
  private readonly context: OperatorContext;
  private readonly view: View;
  private readonly runs: KeyedState<Run>;
  /** `now`: the watermark that was handled last; `order`: the place of the next key. */
  private readonly progress: KeyedState<number>;
  private readonly ends = new Ends();
  /** Of the watermark that is being handled: they leave in order once all keys have been looked at. */
  private matches: Match[] = [];
  /** The time at which what is found now is decided. */
  private now = Number.NEGATIVE_INFINITY;
  private out: Output | undefined;
  private readonly found: Found;

  constructor(program: PatternProgram, context: OperatorContext, bytesPerKey: number) {
    this.program = program;
    this.context = context;
    this.view = new View(program.steps);
    this.runs = context.keyedState('runs', { keysMax: program.keysMax, bytesPerKey });
    this.progress = context.keyedState('progress');
    this.found = {
      match: (first, last, thread, run) => {
        const event = program.toEvent({ first, last, variables: this.view.show(thread, run.rows) });
        this.matches.push({ event, time: Math.max(this.now, last.time), order: run.order });
      },
      gaveUp: (first, what, bound) => {
        const reason = operatorErrors.make('MACH1871', { what, bound: `${bound}: ${patternLimits[bound]}` }).message;
        this.out?.dead(first.event, 'MACH1871', reason, first.time);
      },
    };
  }

  resume(): void {
    this.ends.clear();
    for (const [key, run] of this.runs.entries()) this.ends.add(key, run.dueAt);
  }

  event(event: Event, time: number, out: Output): void {
    if (time < this.context.watermark()) return out.late(event, time);
    const { keyOf, keysMax, describeKey } = this.program;
    const key = keyOf(event);
    let run = this.runs.get(key);
    if (!run) {
      if (this.runs.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      run = newRun(this.nextOrder());
      this.runs.set(key, run, time);
    }
    const { waiting } = run;
    const { eventsPerKeyMax } = patternLimits;
    if (waiting.length >= eventsPerKeyMax)
      return turnAway(out, event, 'MACH1870', { key: describeKey(event), events: eventsPerKeyMax });
    // Mostly at the end; of equal times in the order in which they came.
    let at = waiting.length;
    while (at > 0 && (waiting[at - 1] as Row).time > time) at--;
    if (waiting.length === 0) run.waiting = [{ time, event }];
    else waiting.splice(at, 0, { time, event });
    if (time + 1 >= run.dueAt) return;
    run.dueAt = time + 1;
    this.ends.add(key, run.dueAt);
  }

  watermark(time: number, out: Output): void {
    const before = this.progress.get('now') ?? Number.NEGATIVE_INFINITY;
    this.progress.set('now', time, 0);
    this.out = out;
    for (const key of this.keysDue(time)) {
      const run = this.runs.get(key) as Run;
      this.goOn(run, { before, time });
      run.dueAt = this.nextDue(run);
      if (run.waiting.length === 0 && run.rows.length === 0) this.runs.delete(key);
      else this.ends.add(key, run.dueAt);
    }
    const { matches } = this;
    this.matches = [];
    matches.sort((a, b) => a.time - b.time || a.order - b.order);
    for (const { event, time: at } of matches) out.emit(event, at);
  }

  /** At the end of the input everything is. */
  private keysDue(time: number): Iterable<StateKey> {
    if (time === Number.POSITIVE_INFINITY) return [...this.runs.entries()].map(([key]) => key);
    return this.ends.takeDue(time, { exact: true, dueAt: (key) => this.runs.get(key)?.dueAt });
  }

  /** Looks at what the watermark has passed, event by event, and at what time alone decides. */
  private goOn(run: Run, { before, time }: { before: number; time: number }): void {
    this.now = before;
    const { waiting } = run;
    const passed = countBefore(waiting, time);
    run.waiting = passed === waiting.length ? [] : waiting.slice(passed);
    for (let index = 0; index < passed; index++) {
      const row = waiting[index] as Row;
      this.expire(run, row.time);
      if (row.time > this.now) this.now = row.time;
      run.rows.push(row);
      lookOn(this.program, this.view, run, this.found);
    }
    this.expire(run, time);
  }

  /** Beginnings that no event at `time` or later can belong to are decided. */
  private expire(run: Run, time: number): void {
    while (isUndecided(run)) {
      const last = lastTimeOf(run, this.program);
      if (last >= time && time !== Number.POSITIVE_INFINITY) return;
      if (last !== Number.POSITIVE_INFINITY && last > this.now) this.now = last;
      decide(this.program, run, this.found);
      lookOn(this.program, this.view, run, this.found);
    }
  }

  /** A beginning without an end in time waits for events, or for the end of the input. */
  private nextDue(run: Run): number {
    const [first] = run.waiting;
    return Math.min(first ? first.time + 1 : Number.POSITIVE_INFINITY, lastTimeOf(run, this.program) + 1);
  }

  private nextOrder(): number {
    const order = this.progress.get('order') ?? 0;
    this.progress.set('order', order + 1, 0);
    return order;
  }
}

/** The number of rows before a time, in a list that rises in time. */
function countBefore(rows: readonly Row[], time: number): number {
  let count = 0;
  while (count < rows.length && (rows[count] as Row).time < time) count++;
  return count;
}
