/** Interval join: pairs of events whose times lie close together, up to a time that the left event tells, or however far apart. */
import {
  type BoundOperator,
  cutByKey,
  type Event,
  fieldReader,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type OwnState,
  RowTable,
  type StateKey,
} from '../../runtime/stream/index.ts';
import { Ends } from '../support/ends.ts';
import { describeKey, equalityKey } from '../support/state-key.ts';
import { turnAway } from '../support/turn-away.ts';
import { type JoinFields, readsOfJoin, spreadOfJoin, type Taken } from './fields.ts';
import { entryOf, restoreSides, type Sides, snapshotOf } from './kept.ts';
import { matched, Side } from './side.ts';

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
  private readonly lefts: Side<Event>;
  private readonly rights: Side<Taken>;
  /** Left events by the time at which they come out alone, where they do. */
  private readonly alone = new Ends<number>();
  private readonly touch: (key: StateKey) => void;
  private readonly holdsBackMs: number;
  private readonly readUntil: ((event: Event) => unknown) | undefined;

  constructor(args: IntervalArguments, context: OperatorContext) {
    const { fields, beforeMs, latenessMs, keepUnmatched, until, afterMs } = args;
    this.args = args;
    this.context = context;
    this.readUntil = until === undefined ? undefined : fieldReader(until);
    this.leftKey = equalityKey(fields.leftKey);
    this.rightKey = equalityKey(fields.rightKey);
    // An event at the watermark is still on time.
    this.lefts = new Side((row) => this.lastPartner(row) + latenessMs + 1);
    this.rights = new Side((row) => (this.rights.rows.times[row] as number) + beforeMs + latenessMs + 1);
    RowTable.pair(this.lefts.rows, this.rights.rows);
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
      if (isLeft && keepUnmatched) out.emit(fields.join(event, null), time);
      else out.dropped('no key');
      return;
    }
    if (!this.admits(key)) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    if (!this.hasRoom(key)) {
      const names = isLeft ? fields.leftKey : fields.rightKey;
      return turnAway(out, event, 'MACH1850', { key: describeKey(event, names), waiting: waitingPerKeyMax });
    }
    this.touch(key);
    if (isLeft) this.takeLeft(key, event, time, out);
    else this.takeRight(key, event, time, out);
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
  private admits(key: StateKey): boolean {
    const { lefts, rights } = this;
    const { keysMax } = this.args;
    if (lefts.rows.size + rights.rows.size < keysMax || lefts.has(key) || rights.has(key)) return true;
    const hasPlace = () => lefts.rows.countKeys() < keysMax;
    return hasPlace() || (this.sweep() && hasPlace());
  }

  /** False when too many events of the key wait. */
  private hasRoom(key: StateKey): boolean {
    const [lefts, rights] = [this.lefts.rows, this.rights.rows];
    if (lefts.crowdOf(key) + rights.crowdOf(key) < waitingPerKeyMax) return true;
    const hasRoom = () => lefts.countOf(key) + rights.countOf(key) < waitingPerKeyMax;
    return hasRoom() || (this.sweep() && hasRoom());
  }

  private sweep(): boolean {
    const areLefts = this.lefts.sweep();
    if (areLefts) this.findAlone();
    return this.rights.sweep() || areLefts;
  }

  private takeLeft(key: StateKey, event: Event, time: number, out: Output): void {
    const { lefts } = this;
    const { fields, beforeMs, keepUnmatched } = this.args;
    const { rows } = this.rights;
    const left = lefts.add(key, time, event);
    const first = time - beforeMs;
    const last = this.lastPartner(left);
    for (let right = rows.first(key); right >= 0; right = rows.after(right)) {
      const rightTime = rows.times[right] as number;
      if (rightTime < first || rightTime > last) continue;
      lefts.rows.marks[left] = matched;
      out.emit(fields.join(event, rows.values[right] as Taken), Math.max(time, rightTime));
    }
    if (keepUnmatched) this.alone.add(left, lefts.endOf(left));
  }

  private takeRight(key: StateKey, event: Event, time: number, out: Output): void {
    const { fields, beforeMs } = this.args;
    const { rows } = this.lefts;
    const values = fields.take(event);
    for (let left = rows.first(key); left >= 0; left = rows.after(left)) {
      const leftTime = rows.times[left] as number;
      if (time < leftTime - beforeMs || time > this.lastPartner(left)) continue;
      rows.marks[left] = matched;
      out.emit(fields.join(rows.values[left] as Event, values), Math.max(time, leftTime));
    }
    this.rights.add(key, time, values);
  }

  /** The last time at which a partner of a left event may lie. */
  private lastPartner(left: number): number {
    const { afterMs } = this.args;
    const { times, values } = this.lefts.rows;
    const time = times[left] as number;
    if (this.readUntil === undefined) return time + afterMs;
    const told = this.readUntil(values[left] as Event);
    return typeof told === 'number' ? told : time;
  }

  /** The time of a left event that comes out without a partner. */
  private givenAt(left: number): number {
    const time = this.lefts.rows.times[left] as number;
    return this.args.until === undefined ? time : Math.max(time, this.lastPartner(left));
  }

  private giveAlone(watermark: number, out: Output): void {
    const { alone, lefts } = this;
    const { keys, marks, values } = lefts.rows;
    const due: number[] = [];
    for (const row of alone.takeDue(watermark, { exact: true, dueAt: lefts.endOf })) {
      if (lefts.endOf(row) > watermark) alone.add(row, lefts.endOf(row));
      else if (marks[row] !== matched) due.push(row);
    }
    due.sort((a, b) => this.givenAt(a) - this.givenAt(b) || a - b);
    for (const row of due) {
      this.touch(keys[row] as StateKey);
      out.emit(this.args.fields.join(values[row] as Event, null), this.givenAt(row));
    }
  }

  /** Rows have other numbers than before. */
  private findAlone(): void {
    if (!this.args.keepUnmatched) return;
    const { alone, lefts } = this;
    alone.clear();
    for (let row = 0; row < lefts.rows.size; row++) alone.add(row, lefts.endOf(row));
  }

  private ownState(): OwnState {
    const { lefts, rights } = this;
    const sides: Sides = { lefts, rights, keepsLone: !this.args.keepUnmatched };
    return {
      get size() {
        return lefts.rows.countKeys();
      },
      has: (key) => lefts.has(key) || rights.has(key),
      entry: (key) => entryOf(sides, key),
      snapshot: () => snapshotOf(sides),
      restore: (snapshot) => restoreSides(sides, snapshot),
    };
  }
}
