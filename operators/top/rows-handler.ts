/**
 * Rankings of what is known now by a number, where every event stands for itself and none is forgotten: what is kept of a key is a row of numbers,
 * and its events stand in slots. Events come and leave as columns; only those that are among the best when they come are made into objects. In
 * checkpoints rankings are as `RankingHandler` has them.
 */
import {
  type Event,
  EventColumns,
  fieldColumns,
  type HeldKeys,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type RowState,
  type StateKey,
  type TimedColumns,
} from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import { scheduleNext } from './next-step.ts';
import type { Ranked, Ranking } from './ranking.ts';

export interface RankedRowsSetting {
  readonly rows: number;
  readonly ascending: boolean;
  readonly keys: HeldKeys;
  scoreOf(event: Event): number | string | null;
  /** Undefined where an event is needed as an object. */
  readonly scoresOf: ((events: EventColumns) => readonly unknown[]) | undefined;
  readonly everyMs: number;
  readonly keysMax: number;
  /** Fields of the input. */
  readonly fields: readonly string[];
  /** Names of the time and the rank that are added to them. */
  readonly added: readonly string[];
}

/** Places in the row of a key; behind them stand the scores, versions, times and slots of its events, best first, and the versions that were given. */
const nextVersionAt = 0;
const changedAt = 1;
const revisionAt = 2;
const countAt = 3;
/** -1: more were given than are shown now. */
const givenCountAt = 4;
/** Newest event time. */
const heardAt = 5;
const scoresAt = 6;
const listsOfRow = 5;

/** Rankings that are due, and their rows: of each the slot of its event, its rank, and when the ranking is given. */
const nothingDue = () => ({
  rankings: [] as number[],
  slots: [] as number[],
  ranks: [] as number[],
  times: [] as number[],
});

export class RankedRows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: RankedRowsSetting;
  private readonly rankings: RowState;
  /** By slot. */
  private readonly events: Event[] = [];
  private readonly fieldsOf: (events: readonly Event[]) => unknown[][];
  private readonly versionsAt: number;
  private readonly timesAt: number;
  private readonly slotsAt: number;
  private readonly givenAt: number;
  private readonly width: number;
  private slotsUsed = 0;
  private due = nothingDue();

  constructor(context: OperatorContext, setting: RankedRowsSetting) {
    const { rows, keys, keysMax, fields } = setting;
    this.context = context;
    this.setting = setting;
    this.fieldsOf = fieldColumns(fields);
    this.versionsAt = scoresAt + rows;
    this.timesAt = this.versionsAt + rows;
    this.slotsAt = this.timesAt + rows;
    this.givenAt = this.slotsAt + rows;
    this.width = scoresAt + listsOfRow * rows;
    this.rankings = context.rowState<Ranking>('rankings', {
      width: this.width,
      keys,
      keysMax,
      written: (numbers, from) => this.written(numbers, from),
      held: (ranking, numbers, from, time) => this.hold(ranking, numbers, from, time),
      timeOf: (numbers, from) => numbers[from + heardAt] as number,
    });
  }

  event(event: Event, time: number, out: Output): void {
    const { scoreOf, keys, keysMax } = this.setting;
    const score = scoreOf(event);
    if (typeof score !== 'number') return out.filtered();
    const key = keys.of(event);
    const from = this.rowFor(key, time);
    if (from < 0) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    const slot = this.enter(from, score, time);
    if (slot < 0) return;
    this.events[slot] = event;
    this.schedule(from, key, time);
  }

  columns({ events, times }: TimedColumns, alone: (row: number) => void): void {
    const { keys: heldKeys, scoresOf } = this.setting;
    const scores = scoresOf?.(events) ?? [];
    const keys = heldKeys.ofAll(events);
    const entered = new Uint32Array(keys.length);
    const slots = new Uint32Array(keys.length);
    let count = 0;
    for (let row = 0; row < keys.length; row++) {
      const score = scores[row];
      const key = keys[row] as StateKey;
      const time = times[row] as number;
      const from = typeof score === 'number' ? this.rowFor(key, time) : -1;
      if (from < 0) {
        // It is filtered or turned away: nothing of it stays.
        alone(row);
        continue;
      }
      const slot = this.enter(from, score as number, time);
      if (slot < 0) continue;
      slots[count] = slot;
      entered[count++] = row;
      this.schedule(from, key, time);
    }
    const made = events.pick(entered, count);
    // One that has come into the place of another is behind it.
    for (let at = 0; at < count; at++) this.events[slots[at] as number] = made[at] as Event;
  }

  timer(key: StateKey, _name: string, time: number): void {
    const slot = this.rankings.slotOf(this.setting.keys.held(key));
    if (slot < 0) return;
    const from = slot * this.width;
    const numbers = this.rankings.rows;
    if (numbers[from + changedAt] !== 1) return;
    numbers[from + changedAt] = 0;
    if (!this.isGivenAnew(numbers, from)) return;
    const count = numbers[from + countAt] as number;
    const { rankings, slots, ranks, times } = this.due;
    rankings.push(slot);
    for (let at = 0; at < count; at++) {
      slots.push(numbers[from + this.slotsAt + at] as number);
      ranks.push(at + 1);
      times.push(time);
    }
  }

  watermark(_time: number, out: Output): void {
    const { rankings, slots, ranks, times } = this.due;
    if (slots.length === 0) return;
    this.due = nothingDue();
    // Who looks on learns by it of what the rows come.
    for (const ranking of rankings) this.rankings.keyAt(ranking);
    const { fields, added } = this.setting;
    const events = slots.map((slot) => this.events[slot] as Event);
    const columns = [times.slice(), ranks, ...this.fieldsOf(events)];
    out.emitColumns(new EventColumns([...added, ...fields], columns, { length: slots.length }), times);
  }

  /** Where the row of a key begins, made where there is none; -1: there would be one key too many. */
  private rowFor(key: StateKey, time: number): number {
    const { rankings, width } = this;
    const known = rankings.slotOf(key);
    if (known >= 0) return known * width;
    if (rankings.size >= this.setting.keysMax) return -1;
    const from = rankings.add(key, time) * width;
    rankings.rows[from + revisionAt] = -1;
    rankings.rows[from + heardAt] = time;
    return from;
  }

  /** Takes in an event. The slot that it is to be put into; -1: it is not among the best. */
  private enter(from: number, score: number, time: number): number {
    const { rows } = this.setting;
    const numbers = this.rankings.rows;
    const count = numbers[from + countAt] as number;
    const version = numbers[from + nextVersionAt] as number;
    numbers[from + nextVersionAt] = version + 1;
    if (time > (numbers[from + heardAt] as number)) numbers[from + heardAt] = time;
    const scores = from + scoresAt;
    const isFull = count === rows;
    // Most events are not among the best: one look at the worst of these tells.
    if (isFull && !this.isBetter(score, numbers[scores + count - 1] as number)) return -1;
    const slot = isFull ? (numbers[from + this.slotsAt + count - 1] as number) : this.slotsUsed++;
    if (!isFull) numbers[from + countAt] = count + 1;
    let place = isFull ? count - 1 : count;
    for (; place > 0 && this.isBetter(score, numbers[scores + place - 1] as number); place--)
      for (let list = scores + place; list < from + this.givenAt; list += rows)
        numbers[list] = numbers[list - 1] as number;
    numbers[scores + place] = score;
    numbers[from + this.versionsAt + place] = version;
    numbers[from + this.timesAt + place] = time;
    numbers[from + this.slotsAt + place] = slot;
    return slot;
  }

  /** Of equals the one that came first is better. */
  private isBetter(score: number, other: number): boolean {
    return score !== other && score < other === this.setting.ascending;
  }

  private schedule(from: number, key: StateKey, time: number): void {
    const numbers = this.rankings.rows;
    if (numbers[from + changedAt] === 1) return;
    numbers[from + changedAt] = 1;
    scheduleNext(this.context, this.setting.keys.written(key), { time, everyMs: this.setting.everyMs });
  }

  /** Whether others are the best than those that were given last; they are those that are given now. */
  private isGivenAnew(numbers: Float64Array, from: number): boolean {
    const { versionsAt, givenAt } = this;
    const count = numbers[from + countAt] as number;
    let isSame = numbers[from + givenCountAt] === count;
    for (let at = 0; isSame && at < count; at++)
      isSame = numbers[from + versionsAt + at] === numbers[from + givenAt + at];
    if (isSame) return false;
    for (let at = 0; at < count; at++) numbers[from + givenAt + at] = numbers[from + versionsAt + at] as number;
    numbers[from + givenCountAt] = count;
    (numbers[from + revisionAt] as number)++;
    return true;
  }

  private written(numbers: Float64Array, from: number): Ranking {
    const count = numbers[from + countAt] as number;
    const slots = numbers.subarray(from + this.slotsAt, from + this.slotsAt + count);
    const given = Math.max(0, numbers[from + givenCountAt] as number);
    return {
      things: null,
      events: Array.from(slots, (slot, at): Ranked => {
        const event = this.events[slot] as Event;
        const version = numbers[from + this.versionsAt + at] as number;
        const time = numbers[from + this.timesAt + at] as number;
        return { event, time, score: numbers[from + scoresAt + at] as number, order: version, version };
      }),
      nextVersion: numbers[from + nextVersionAt] as number,
      changed: numbers[from + changedAt] === 1,
      given: [...numbers.subarray(from + this.givenAt, from + this.givenAt + given)],
      revision: numbers[from + revisionAt] as number,
    };
  }

  /** Of a ranking that showed more, the first are kept. */
  private hold(ranking: Ranking, numbers: Float64Array, from: number, time: number): void {
    const { events, nextVersion, changed, given, revision } = ranking;
    const { rows } = this.setting;
    const kept = events.slice(0, rows);
    const givenCount = given.length > rows ? -1 : given.length;
    numbers.set([nextVersion, changed ? 1 : 0, revision, kept.length, givenCount, time], from);
    for (const [at, { event, time, score, version }] of kept.entries()) {
      const slot = this.slotsUsed++;
      this.events[slot] = event;
      numbers[from + scoresAt + at] = score as number;
      numbers[from + this.versionsAt + at] = version;
      numbers[from + this.timesAt + at] = time;
      numbers[from + this.slotsAt + at] = slot;
    }
    numbers.set(given.slice(0, rows), from + this.givenAt);
  }
}
