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
import { type JoinFields, readsOfJoin, spreadOfJoin } from './fields.ts';
import { append, dropFront, type Left, none, type Right, type Waiting } from './waiting.ts';

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
  private readonly state: KeyedState<Waiting>;
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
    for (const [key, waiting] of this.state.entries()) {
      waiting.order = this.nextOrder++;
      this.ends.add(key, waiting.next);
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
    let waiting = this.state.get(key);
    if (!waiting) {
      if (this.state.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      waiting = { lefts: none, rights: none, next: Number.POSITIVE_INFINITY, order: this.nextOrder++ };
      this.state.set(key, waiting, time);
    } else if (waiting.lefts.length + waiting.rights.length >= waitingPerKeyMax) {
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
    let found: Waiting | undefined;
    const dueAt = (key: StateKey) => {
      found = this.state.get(key);
      return found?.next;
    };
    for (const key of this.ends.takeDue(time, { exact: this.args.keepUnmatched, dueAt })) {
      // That of the key which was just looked at.
      const waiting = found as Waiting;
      if (this.isOver(waiting, time) || this.letGo(waiting, time, due)) this.state.delete(key);
      else this.ends.add(key, waiting.next);
    }
    due.sort((a, b) => this.givenAt(a.left) - this.givenAt(b.left) || a.order - b.order);
    for (const { left } of due) out.emit(this.args.fields.join(left.event, null), this.givenAt(left));
  }

  holdsFrom(): number {
    return this.holdsBackMs > 0 ? this.context.watermark() - this.holdsBackMs + 1 : Number.POSITIVE_INFINITY;
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
    for (const right of waiting.rights) {
      if (right.time < first || right.time > last) continue;
      left.matched = true;
      out.emit(fields.join(event, right.values), Math.max(time, right.time));
    }
    waiting.lefts = append(waiting.lefts, left);
    return this.leftEnds(left);
  }

  private takeRight(waiting: Waiting, event: Event, time: number, out: Output): number {
    const { fields, beforeMs } = this.args;
    const right: Right = { time, values: fields.take(event) };
    for (const left of waiting.lefts) {
      if (time < left.time - beforeMs || time > this.lastPartner(left)) continue;
      left.matched = true;
      out.emit(fields.join(left.event, right.values), Math.max(time, left.time));
    }
    waiting.rights = append(waiting.rights, right);
    return this.rightEnds(time);
  }

  /** Of most keys: one right event, and nobody comes for it any more. */
  private isOver({ lefts, rights }: Waiting, watermark: number): boolean {
    return lefts.length === 0 && rights.length === 1 && this.rightEnds((rights[0] as Right).time) <= watermark;
  }

  /** True when nothing of the key is left. */
  private letGo(waiting: Waiting, watermark: number, due: { left: Left; order: number }[]): boolean {
    const { keepUnmatched, until } = this.args;
    waiting.rights = dropFront(waiting.rights, (right) => this.rightEnds(right.time) <= watermark);
    if (keepUnmatched) {
      for (const left of waiting.lefts)
        if (!left.matched && this.leftEnds(left) <= watermark) due.push({ left, order: waiting.order as number });
    }
    const isDue = (left: Left) => this.leftEnds(left) <= watermark;
    if (keepUnmatched || until !== undefined) waiting.lefts = waiting.lefts.filter((left) => !isDue(left));
    else waiting.lefts = dropFront(waiting.lefts, isDue);
    let next = Number.POSITIVE_INFINITY;
    if (keepUnmatched || until !== undefined)
      for (const left of waiting.lefts) next = Math.min(next, this.leftEnds(left));
    else if (waiting.lefts[0]) next = this.leftEnds(waiting.lefts[0]);
    if (waiting.rights[0]) next = Math.min(next, this.rightEnds(waiting.rights[0].time));
    waiting.next = next;
    return waiting.lefts.length + waiting.rights.length === 0;
  }
}
