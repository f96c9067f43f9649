/** Interval join: pairs of events whose times lie close together, up to a time that the left event tells, or however far apart. */
import {
  type BoundOperator,
  cutByKey,
  type Event,
  type KeyedState,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type StateKey,
} from '../../runtime/stream/index.ts';
import { operatorErrors } from '../errors.ts';
import { Ends } from '../support/ends.ts';
import { describeKey, equalityKey } from '../support/state-key.ts';
import { turnAway } from '../support/turn-away.ts';
import { type JoinFields, readsOfJoin, spreadOfJoin, type Taken } from './fields.ts';
import {
  append,
  appendTime,
  dropFirst,
  dropFront,
  isLone,
  type Kept,
  type Left,
  none,
  type Waiting,
} from './waiting.ts';

const bytesPerEvent = 320;

/** Events of one key that wait for partners; what comes beyond it is a dead letter. */
export const waitingPerKeyMax = 50_000;

export interface IntervalArguments {
  readonly fields: JoinFields;
  readonly leftInput: string;
  /** The right event lies at most this long before, or after, the left one; both bounds count. Infinity: however long. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Field of the left event with the last time at which the right one may lie, in place of `afterMs`. */
  readonly until: string | undefined;
  /** An event this far behind the watermark is still joined. */
  readonly latenessMs: number;
  readonly keepUnmatched: boolean;
  readonly keysMax: number;
}

export function bindInterval(args: IntervalArguments): BoundOperator {
  return {
    ports: { out: args.fields.schema },
    spread: spreadOfJoin(args.fields, args.leftInput),
    reads: readsOfJoin(args.fields),
    cut: cutByKey(),
    key: args.fields.leftKey,
    stateful: true,
    stateBytesPerKey: { 'an event that waits': bytesPerEvent },
    create: (context) => new IntervalJoin(args, context),
  };
}

class IntervalJoin implements OperatorHandler {
  private readonly args: IntervalArguments;
  private readonly context: OperatorContext;
  private readonly leftKey: (event: Event) => StateKey | null;
  private readonly rightKey: (event: Event) => StateKey | null;
  private readonly state: KeyedState<Kept>;
  private readonly ends = new Ends();
  private readonly holdsBackMs: number;
  private nextOrder = 0;

  constructor(args: IntervalArguments, context: OperatorContext) {
    const { fields, keysMax, latenessMs, keepUnmatched, until, afterMs } = args;
    this.args = args;
    this.context = context;
    this.leftKey = equalityKey(fields.leftKey);
    this.rightKey = equalityKey(fields.rightKey);
    this.state = context.keyedState('waiting', { keysMax, bytesPerKey: bytesPerEvent });
    this.holdsBackMs = latenessMs + (keepUnmatched && until === undefined ? afterMs : 0);
  }

  resume(): void {
    this.ends.clear();
    this.nextOrder = 0;
    for (const [key, kept] of this.state.entries()) {
      // Only a join that gives no left event alone keeps them so, and may be another now.
      const waiting = isLone(kept) && this.args.keepUnmatched ? this.widen(key, kept) : kept;
      if (!isLone(waiting)) waiting.order = this.nextOrder++;
      this.ends.add(key, this.nextOf(key, waiting));
      // Of checkpoints from when each key had a timer.
      this.context.timers.clear(key, 'free');
    }
  }

  event(event: Event, time: number, out: Output, input: string): void {
    const { fields, leftInput, beforeMs, afterMs, latenessMs, keepUnmatched, keysMax } = this.args;
    const isLeft = input === leftInput;
    // Where partners are kept for ever, none has been let go.
    if (time < this.context.watermark() - latenessMs && (isLeft ? beforeMs : afterMs) !== Number.POSITIVE_INFINITY)
      return out.late(event, time);
    const key = isLeft ? this.leftKey(event) : this.rightKey(event);
    if (key === null) {
      if (isLeft && keepUnmatched) out.emit(fields.join(event, null), time);
      else out.dropped('no key');
      return;
    }
    const kept = this.state.get(key);
    if (kept === undefined) {
      if (this.state.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      if (!isLeft && !keepUnmatched) return this.keepLone(key, fields.take(event), time);
    }
    const waiting = kept === undefined ? this.addKey(key, time) : isLone(kept) ? this.widen(key, kept) : kept;
    if (waiting.lefts.length + waiting.rights.length >= waitingPerKeyMax) {
      const names = isLeft ? fields.leftKey : fields.rightKey;
      const data = { key: describeKey(event, names), waiting: waitingPerKeyMax };
      const { code, message } = operatorErrors.make('MACH1850', data);
      return out.dead(event, code, message);
    }
    const end = isLeft ? this.takeLeft(waiting, event, time, out) : this.takeRight(waiting, event, time, out);
    if (end >= waiting.next) return;
    waiting.next = end;
    this.ends.add(key, end);
  }

  watermark(time: number, out: Output): void {
    const due: { left: Left; order: number }[] = [];
    let found: Kept | undefined;
    const dueAt = (key: StateKey) => {
      found = this.state.get(key);
      return found && this.nextOf(key, found);
    };
    for (const key of this.ends.takeDue(time, { exact: this.args.keepUnmatched, dueAt })) {
      // That of the key which was just looked at.
      const kept = found as Kept;
      if (isLone(kept) || this.letGo(kept, time, due)) this.state.delete(key);
      else this.ends.add(key, kept.next);
    }
    due.sort((a, b) => this.givenAt(a.left) - this.givenAt(b.left) || a.order - b.order);
    for (const { left } of due) out.emit(this.args.fields.join(left.event, null), this.givenAt(left));
  }

  holdsFrom(): number {
    return this.holdsBackMs > 0 ? this.context.watermark() - this.holdsBackMs + 1 : Number.POSITIVE_INFINITY;
  }

  private addKey(key: StateKey, time: number): Waiting {
    const next = Number.POSITIVE_INFINITY;
    const waiting = { lefts: none, rights: none, rightTimes: none, next, order: this.nextOrder++ };
    this.state.set(key, waiting, time);
    return waiting;
  }

  private keepLone(key: StateKey, values: Taken, time: number): void {
    this.state.set(key, values, time);
    this.ends.add(key, this.rightEnds(time));
  }

  /** More is coming to a right event that stood alone. */
  private widen(key: StateKey, values: Taken): Waiting {
    const time = this.timeOf(key);
    const waiting = this.addKey(key, time);
    waiting.rights = append<Taken>(waiting.rights, values);
    waiting.rightTimes = appendTime(waiting.rightTimes, time);
    waiting.next = this.rightEnds(time);
    return waiting;
  }

  /** Of a lone right event, which came when its key was set. */
  private timeOf(key: StateKey): number {
    return this.state.entry(key)?.time as number;
  }

  private nextOf(key: StateKey, kept: Kept): number {
    return isLone(kept) ? this.rightEnds(this.timeOf(key)) : kept.next;
  }

  /** The last time at which a partner of a left event may lie. */
  private lastPartner({ event, time }: { event: Event; time: number }): number {
    const { until, afterMs } = this.args;
    if (until === undefined) return time + afterMs;
    const told = event[until];
    return typeof told === 'number' ? told : time;
  }

  /** The first time at which the watermark rules out another partner. An event at the watermark is still on time. */
  private leftEnds(left: { event: Event; time: number }): number {
    return this.lastPartner(left) + this.args.latenessMs + 1;
  }

  private rightEnds(time: number): number {
    return time + this.args.beforeMs + this.args.latenessMs + 1;
  }

  /** The time of a left event that comes out without a partner. */
  private givenAt(left: Left): number {
    return this.args.until === undefined ? left.time : Math.max(left.time, this.lastPartner(left));
  }

  private takeLeft(waiting: Waiting, event: Event, time: number, out: Output): number {
    const { fields, beforeMs } = this.args;
    const left: Left = { time, event, matched: false };
    const first = time - beforeMs;
    const last = this.lastPartner(left);
    const { rights, rightTimes } = waiting;
    for (let at = 0; at < rights.length; at++) {
      const rightTime = rightTimes[at] as number;
      if (rightTime < first || rightTime > last) continue;
      left.matched = true;
      out.emit(fields.join(event, rights[at] as Taken), Math.max(time, rightTime));
    }
    waiting.lefts = append(waiting.lefts, left);
    return this.leftEnds(left);
  }

  private takeRight(waiting: Waiting, event: Event, time: number, out: Output): number {
    const { fields, beforeMs } = this.args;
    const values = fields.take(event);
    for (const left of waiting.lefts) {
      if (time < left.time - beforeMs || time > this.lastPartner(left)) continue;
      left.matched = true;
      out.emit(fields.join(left.event, values), Math.max(time, left.time));
    }
    waiting.rights = append(waiting.rights, values);
    waiting.rightTimes = appendTime(waiting.rightTimes, time);
    return this.rightEnds(time);
  }

  /** True when nothing of the key is left. */
  private letGo(waiting: Waiting, watermark: number, due: { left: Left; order: number }[]): boolean {
    const { keepUnmatched, until } = this.args;
    const { rightTimes } = waiting;
    let gone = 0;
    while (gone < rightTimes.length && this.rightEnds(rightTimes[gone] as number) <= watermark) gone++;
    waiting.rights = dropFirst(waiting.rights, gone);
    waiting.rightTimes = dropFirst(rightTimes, gone);
    if (keepUnmatched) {
      for (const left of waiting.lefts)
        if (!left.matched && this.leftEnds(left) <= watermark) due.push({ left, order: waiting.order });
    }
    const isDue = (left: Left) => this.leftEnds(left) <= watermark;
    if (keepUnmatched || until !== undefined) waiting.lefts = waiting.lefts.filter((left) => !isDue(left));
    else waiting.lefts = dropFront(waiting.lefts, isDue);
    let next = Number.POSITIVE_INFINITY;
    if (keepUnmatched || until !== undefined)
      for (const left of waiting.lefts) next = Math.min(next, this.leftEnds(left));
    else if (waiting.lefts[0]) next = this.leftEnds(waiting.lefts[0]);
    const [firstRight] = waiting.rightTimes;
    if (firstRight !== undefined) next = Math.min(next, this.rightEnds(firstRight));
    waiting.next = next;
    return waiting.lefts.length + waiting.rights.length === 0;
  }
}
