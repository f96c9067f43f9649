/** Event time as the queries see it: everything more than four seconds older than the newest event has come. */

export const second = 1_000;
const disorderMs = 4 * second;

/** Tells `moved` once in each second of event time how far the stream is complete. */
export class Progress {
  private next = Number.NEGATIVE_INFINITY;
  private readonly moved: (completeTo: number) => void;

  constructor(moved: (completeTo: number) => void) {
    this.moved = moved;
  }

  see(time: number): void {
    if (time < this.next) return;
    this.next = time + second;
    this.moved(time - disorderMs);
  }

  end(): void {
    this.moved(Number.POSITIVE_INFINITY);
  }
}

/** Hands on what has come in order of time, then of the stream, once the stream is complete so far. */
export class TimeOrder<Value extends { readonly date_time: number }> {
  /** By the second in which they are. */
  private readonly seconds = new Map<number, { readonly values: Value[]; isSorted: boolean }>();
  private next = Number.POSITIVE_INFINITY;
  private readonly hand: (value: Value) => void;
  private readonly progress = new Progress((completeTo) => this.give(completeTo));

  constructor(hand: (value: Value) => void) {
    this.hand = hand;
  }

  add(value: Value): void {
    const time = value.date_time;
    const start = time - (time % second);
    const found = this.seconds.get(start);
    if (found) {
      const { values } = found;
      if (time < (values[values.length - 1]?.date_time as number)) found.isSorted = false;
      values.push(value);
    } else {
      this.seconds.set(start, { values: [value], isSorted: true });
      if (start < this.next) this.next = start;
    }
    this.progress.see(time);
  }

  end(): void {
    this.progress.end();
  }

  private give(completeTo: number): void {
    for (; this.seconds.size > 0 && this.next + second <= completeTo; this.next += second) {
      const found = this.seconds.get(this.next);
      if (!found) continue;
      this.seconds.delete(this.next);
      // Sorting keeps the order of the stream among equal times.
      if (!found.isSorted) found.values.sort((a, b) => a.date_time - b.date_time);
      for (const value of found.values) this.hand(value);
    }
    if (this.seconds.size === 0) this.next = Number.POSITIVE_INFINITY;
  }
}

const dayMs = 86_400 * second;
let knownDay = Number.NaN;
let knownDayText = '';

/** `2015-07-15`. */
export function dayOf(time: number): string {
  const day = Math.floor(time / dayMs);
  if (day !== knownDay) {
    knownDay = day;
    knownDayText = new Date(time).toISOString().slice(0, 10);
  }
  return knownDayText;
}

/** `07:05`. */
export function minuteOf(time: number): string {
  const minutes = Math.floor((time % dayMs) / (60 * second));
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

export function hourOf(time: number): number {
  return Math.floor((time % dayMs) / (3_600 * second));
}
