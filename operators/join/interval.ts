/** Interval join: pairs of events whose times lie close together, up to a time that the left event tells, or however far apart. */
import {
  type BoundOperator,
  cutByKey,
  type Event,
  fieldReader,
  hashOf,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type OwnState,
  type StateKey,
  type TellKey,
} from '../../runtime/stream/index.ts';
import { Ends } from '../support/ends.ts';
import { describeKey, equalityKey } from '../support/state-key.ts';
import { turnAway } from '../support/turn-away.ts';
import { Bounds } from './bounds.ts';
import { type JoinFields, readsOfJoin, spreadOfJoin, type WaitingRights } from './fields.ts';
import { entryOf, restoreSides, type Sides, snapshotOf } from './kept.ts';
import { Side } from './side.ts';

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
    keyedBy: { [args.leftInput]: args.fields.leftKey, right: args.fields.rightKey },
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
  private readonly lefts: Side<Event>;
  private readonly rights: Side<Event>;
  private readonly bounds: Bounds;
  /** Left events by the time at which they come out alone, where they do. */
  private readonly alone = new Ends<number>();
  private readonly touch: TellKey | undefined;
  private readonly join: WaitingRights['join'];
  private readonly keep: WaitingRights['keep'];
  private readonly holdsBackMs: number;
  private readonly readUntil: ((event: Event) => unknown) | undefined;

  constructor(args: IntervalArguments, context: OperatorContext) {
    const { fields, latenessMs, keepUnmatched, until, afterMs } = args;
    this.args = args;
    this.context = context;
    this.readUntil = until === undefined ? undefined : fieldReader(until);
    this.leftKey = equalityKey(fields.leftKey);
    this.rightKey = equalityKey(fields.rightKey);
    this.join = fields.waiting.join;
    this.keep = fields.waiting.keep;
    this.lefts = new Side(latenessMs);
    this.rights = new Side(latenessMs);
    this.bounds = new Bounds(this.lefts.rows, this.rights.rows);
    this.holdsBackMs = latenessMs + (keepUnmatched && until === undefined ? afterMs : 0);
    this.touch = context.ownState('waiting', this.ownState());
  }

  resume(): void {
    this.findAlone();
    // Of checkpoints from when each key had a timer.
    for (const { rows } of [this.lefts, this.rights])
      for (const key of rows.eachKey()) this.context.timers.clear(key, 'free');
  }

  event(event: Event, time: number, out: Output, input: string): void {
    const { fields, leftInput, beforeMs, afterMs, latenessMs, keepUnmatched, keysMax } = this.args;
    const isLeft = input === leftInput;
    // Where partners are kept for ever, none has been let go.
    if (time < this.context.watermark() - latenessMs && (isLeft ? beforeMs : afterMs) !== Number.POSITIVE_INFINITY)
      return out.late(event, time);
    const key = isLeft ? this.leftKey(event) : this.rightKey(event);
    if (key === null) {
      if (isLeft && keepUnmatched) out.emit(this.join(event, null), time);
      else out.dropped('no key');
      return;
    }
    const hash = hashOf(key);
    if (!this.admits(key, hash)) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    if (!this.hasRoom(key, hash)) {
      const key = isLeft
        ? describeKey(event, fields.leftKey, fields.left)
        : describeKey(event, fields.rightKey, fields.right);
      return turnAway(out, event, 'MACH1850', { key, waiting: waitingPerKeyMax });
    }
    this.touch?.(key);
    if (isLeft) this.takeLeft(key, hash, event, time, out);
    else this.takeRight(key, hash, event, time, out);
  }

  watermark(time: number, out: Output): void {
    if (this.args.keepUnmatched) this.giveAlone(time, out);
    if (this.lefts.letGo(time)) this.findAlone();
    this.rights.letGo(time);
  }

  holdsFrom(): number {
    return this.holdsBackMs > 0 ? this.context.watermark() - this.holdsBackMs + 1 : Number.POSITIVE_INFINITY;
  }

  /** False when there would be one key too many. */
  private admits(key: StateKey, hash: number): boolean {
    const { bounds, lefts, rights } = this;
    const { keysMax } = this.args;
    if (bounds.rows < keysMax || lefts.has(key, hash) || rights.has(key, hash)) return true;
    return bounds.hasPlace(keysMax) || (this.sweep() && bounds.hasPlace(keysMax));
  }

  /** False when too many events of the key wait. */
  private hasRoom(key: StateKey, hash: number): boolean {
    const { bounds } = this;
    if (bounds.takesRow(key, hash, waitingPerKeyMax)) return true;
    return this.sweep() && bounds.takesRow(key, hash, waitingPerKeyMax);
  }

  private sweep(): boolean {
    const areLefts = this.lefts.sweep();
    if (areLefts) this.findAlone();
    return this.rights.sweep() || areLefts;
  }

  private takeLeft(key: StateKey, hash: number, event: Event, time: number, out: Output): void {
    const { lefts } = this;
    const { rows } = this.rights;
    const first = time - this.args.beforeMs;
    const last = this.untilOfLeft(event, time);
    const left = lefts.add(key, hash, time, last, event);
    for (let at = rows.find(key, hash) - 1; at >= 0; at--) {
      const right = rows.found[at] as number;
      const rightTime = rows.timeOf(right);
      if (rightTime < first || rightTime > last) continue;
      lefts.rows.mark(left);
      out.emit(this.join(event, rows.valueOf(right)), Math.max(time, rightTime));
    }
    if (this.args.keepUnmatched) this.alone.add(left, lefts.endOf(left));
  }

  private takeRight(key: StateKey, hash: number, event: Event, time: number, out: Output): void {
    const { beforeMs } = this.args;
    const { rows } = this.lefts;
    const right = this.keep(event);
    for (let at = rows.find(key, hash) - 1; at >= 0; at--) {
      const left = rows.found[at] as number;
      const leftTime = rows.timeOf(left);
      if (time < leftTime - beforeMs || time > rows.untilOf(left)) continue;
      rows.mark(left);
      out.emit(this.join(rows.valueOf(left), right), Math.max(time, leftTime));
    }
    this.rights.add(key, hash, time, this.untilOfRight(time), right);
  }

  /** The last time at which a partner of a left event may lie. */
  private untilOfLeft(event: Event, time: number): number {
    if (this.readUntil === undefined) return time + this.args.afterMs;
    const told = this.readUntil(event);
    return typeof told === 'number' ? told : time;
  }

  private untilOfRight(time: number): number {
    return time + this.args.beforeMs;
  }

  /** The time of a left event that comes out without a partner. */
  private givenAt(left: number): number {
    const { rows } = this.lefts;
    const time = rows.timeOf(left);
    return this.args.until === undefined ? time : Math.max(time, rows.untilOf(left));
  }

  private giveAlone(watermark: number, out: Output): void {
    const { alone, lefts } = this;
    const { rows } = lefts;
    const due: number[] = [];
    for (const row of alone.takeDue(watermark, (row) => lefts.endOf(row))) if (!rows.isMarked(row)) due.push(row);
    due.sort((a, b) => this.givenAt(a) - this.givenAt(b) || a - b);
    for (const row of due) {
      this.touch?.(rows.keyOf(row));
      out.emit(this.join(rows.valueOf(row), null), this.givenAt(row));
    }
  }

  /** Rows have other numbers than before. */
  private findAlone(): void {
    if (!this.args.keepUnmatched) return;
    const { alone, lefts } = this;
    alone.clear();
    for (let row = lefts.rows.first; row < lefts.rows.next; row++) alone.add(row, lefts.endOf(row));
  }

  private ownState(): OwnState {
    const { bounds, lefts, rights } = this;
    const { fields, keepUnmatched } = this.args;
    const sides: Sides = {
      lefts,
      rights,
      fields,
      untilOfLeft: (event, time) => this.untilOfLeft(event, time),
      untilOfRight: (time) => this.untilOfRight(time),
      keepsLone: !keepUnmatched,
    };
    return {
      get size() {
        return bounds.keysAtMost();
      },
      has: (key) => lefts.has(key) || rights.has(key),
      entry: (key) => entryOf(sides, key),
      snapshot: () => snapshotOf(sides),
      restore: (snapshot) => restoreSides(sides, snapshot),
    };
  }
}
