/** The events of each key in the order of their times, once the watermark has passed them, and the matches among them. */
import type { Event, KeyedState, OperatorContext, OperatorHandler, Output } from '../../runtime/stream/index.ts';
import { operatorErrors } from '../errors.ts';
import { Ends } from '../support/ends.ts';
import { turnAway } from '../support/turn-away.ts';
import { type KeyedRun, keepRun, keyedRun, runOf, writtenRuns } from './keyed-run.ts';
import { patternLimits } from './limits.ts';
import type { PatternProgram } from './program.ts';
import { addEvent, forgetLeftBehind, type Run } from './run.ts';
import { Search } from './search.ts';

interface Match {
  readonly event: Event;
  /** When it was decided. */
  readonly time: number;
  readonly order: number;
}

export class PatternHandler implements OperatorHandler {
  private readonly program: PatternProgram;
  private readonly context: OperatorContext;
  private readonly runs: KeyedState<KeyedRun>;
  /** `now`: the watermark that was handled last; `order`: the place of the next key. */
  private readonly progress: KeyedState<number>;
  /** By `dueAfter`. */
  private readonly ends = new Ends<KeyedRun>();
  private readonly search: Search;
  /** Of the watermark that is being handled: they leave in order once all keys have been looked at. */
  private matches: Match[] = [];
  /** The time at which what is found now is decided. */
  private now = Number.NEGATIVE_INFINITY;
  /** Place of the key that is looked at among all. */
  private order = 0;
  private out: Output | undefined;

  constructor(program: PatternProgram, context: OperatorContext, bytesPerKey: number) {
    this.program = program;
    this.context = context;
    this.search = new Search(program, {
      match: ({ events, times, from }, { previous }, variables) => {
        const [start, end] = [times[from] as number, times[from + previous] as number];
        const event = program.toEvent({ first: events[from] as Event, start, end, variables });
        this.matches.push({ event, time: Math.max(this.now, end), order: this.order });
      },
      gaveUp: ({ events, times, from }, what, bound) => {
        const reason = operatorErrors.make('MACH1871', { what, bound: `${bound}: ${patternLimits[bound]}` }).message;
        this.out?.dead(events[from] as Event, 'MACH1871', reason, times[from]);
      },
    });
    const { keys, keysMax } = program;
    this.runs = context.keyedState('runs', { keysMax, bytesPerKey, keys, values: writtenRuns(keys, this.begin) });
    this.progress = context.keyedState('progress');
  }

  resume(): void {
    this.ends.clear();
    for (const [, keyed] of this.runs.entries()) this.ends.add(keyed, keyed.dueAfter);
  }

  event(event: Event, time: number, out: Output): void {
    if (time < this.context.watermark()) return out.late(event, time);
    const { keys, keysMax, describeKey } = this.program;
    const key = keys.of(event);
    const keyed = this.runs.get(key);
    if (!keyed) {
      if (this.runs.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      const begun = keyedRun({ key, order: this.nextOrder(), event, time });
      this.runs.set(key, begun, time);
      return this.ends.add(begun, time);
    }
    const run = runOf(keyed, this.begin);
    const { eventsPerKeyMax } = patternLimits;
    if (run.events.length - run.at >= eventsPerKeyMax)
      return turnAway(out, event, 'MACH1870', { key: describeKey(event), events: eventsPerKeyMax });
    addEvent(run, event, time);
    keepRun(keyed, run);
    if (time >= keyed.dueAfter) return;
    keyed.dueAfter = time;
    this.ends.add(keyed, time);
  }

  watermark(time: number, out: Output): void {
    const before = this.progress.get('now') ?? Number.NEGATIVE_INFINITY;
    this.progress.set('now', time, 0);
    this.out = out;
    for (const keyed of this.runsDue(time)) {
      if (!keyed.run && this.search.isNeverOfOne) {
        this.lookAtLone(keyed, time);
        continue;
      }
      const run = runOf(keyed, this.begin);
      this.order = keyed.order;
      this.goOn(run, { before, time });
      keyed.dueAfter = this.nextDue(run);
      if (run.from === run.events.length) {
        this.runs.delete(keyed.key);
        continue;
      }
      forgetLeftBehind(run);
      keepRun(keyed, run);
      this.ends.add(keyed, keyed.dueAfter);
    }
    const { matches } = this;
    this.matches = [];
    matches.sort((a, b) => a.time - b.time || a.order - b.order);
    for (const { event, time: at } of matches) out.emit(event, at);
  }

  /** Looks at the first event of a run with which a match has begun before: nothing is decided. */
  private readonly begin = (run: Run): void => this.search.lookOn(run, 1);

  /** At the end of the input all are. */
  private runsDue(time: number): Iterable<KeyedRun> {
    if (time === Number.POSITIVE_INFINITY) return [...this.runs.entries()].map(([, keyed]) => keyed);
    return this.ends.takeDue(time - 1, ({ dueAfter }) => dueAfter);
  }

  /** An event that has stayed alone until the watermark passed it, where no match has one event: what a run would know of it without making one. */
  private lookAtLone(keyed: KeyedRun, time: number): void {
    const { lone, loneTime, hasBegun } = keyed;
    const last = loneTime + this.program.withinMs;
    const isOver = time === Number.POSITIVE_INFINITY || last < time;
    if (isOver || !(hasBegun || this.search.canBegin(lone as Event))) {
      keyed.dueAfter = Number.POSITIVE_INFINITY;
      this.runs.delete(keyed.key);
      return;
    }
    keyed.hasBegun = true;
    keyed.dueAfter = last;
    this.ends.add(keyed, last);
  }

  /** Looks at what the watermark has passed, event by event, and at what time alone decides. */
  private goOn(run: Run, { before, time }: { before: number; time: number }): void {
    this.now = before;
    const passed = placeOf(time, run);
    for (let place = run.at; place < passed; place++) {
      const at = run.times[place] as number;
      this.expire(run, at);
      if (at > this.now) this.now = at;
      this.search.lookOn(run, place + 1);
    }
    this.expire(run, time);
  }

  /** Beginnings that no event at `time` or later can belong to are decided. */
  private expire(run: Run, time: number): void {
    const until = run.at;
    while (run.threads.length > 0) {
      const last = this.search.lastTimeOf(run);
      if (last >= time && time !== Number.POSITIVE_INFINITY) return;
      if (last !== Number.POSITIVE_INFINITY && last > this.now) this.now = last;
      this.search.decide(run);
      this.search.lookOn(run, until);
    }
  }

  /** A beginning without an end in time waits for events, or for the end of the input. */
  private nextDue(run: Run): number {
    return Math.min(run.times[run.at] ?? Number.POSITIVE_INFINITY, this.search.lastTimeOf(run));
  }

  private nextOrder(): number {
    const order = this.progress.get('order') ?? 0;
    this.progress.set('order', order + 1, 0);
    return order;
  }
}

/** Of the first event that the watermark has not passed. */
function placeOf(watermark: number, { at, times }: Run): number {
  let place = at;
  while (place < times.length && (times[place] as number) < watermark) place++;
  return place;
}
