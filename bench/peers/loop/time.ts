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
