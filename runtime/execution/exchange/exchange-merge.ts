/**
 * Puts the lanes that enter a partition of a later stage into one order: by source sequence, then wave, then cause, then lane. A sequence
 * is given out once every lane has come through it, so the order does not depend on which partition was faster.
 */
import type { ExchangeFrame, ExchangeRow, ExchangeWatermark } from './exchange-frame.ts';

export interface LaneWatermark extends ExchangeWatermark {
  readonly lane: string;
}

/** Everything that one source message caused, in waves. */
export interface ExchangeStep {
  readonly sequence: number;
  readonly waves: readonly {
    readonly wave: number;
    readonly rows: readonly ExchangeRow[];
    readonly watermarks: readonly LaneWatermark[];
  }[];
}

interface Lane {
  readonly name: string;
  through: number;
  readonly rows: ExchangeRow[];
  readonly watermarks: LaneWatermark[];
  /** Log positions of messages that say something of what is not yet given out, be it only that the lane has come through. */
  readonly held: { readonly position: number; readonly last: number }[];
}

export class ExchangeMerge {
  private readonly lanes: Lane[];
  private handled: number;
  private position: number;

  /** `handled`: source sequence given out already; `position`: log position of the next message. */
  constructor(lanes: readonly string[], { handled, position }: { handled: number; position: number }) {
    this.lanes = lanes.map((name) => ({ name, through: handled, rows: [], watermarks: [], held: [] }));
    this.handled = handled;
    this.position = position;
  }

  /** Source sequence that all lanes have come through. */
  get through(): number {
    return Math.min(...this.lanes.map(({ through }) => through));
  }

  /** Log position from which a restart must read to get everything after what was given out. */
  get readFrom(): number {
    return Math.min(
      this.position,
      ...this.lanes.flatMap(({ held }) => held.slice(0, 1).map(({ position }) => position)),
    );
  }

  /** Rows that wait for slower lanes. */
  get waiting(): number {
    return this.lanes.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  push(position: number, laneName: string, { through, rows, watermarks }: ExchangeFrame): void {
    this.position = position + 1;
    const lane = this.lanes.find(({ name }) => name === laneName);
    if (!lane) throw new Error(`invariant broken: there is no lane ${laneName}`);
    lane.through = Math.max(lane.through, through);
    for (const row of rows) {
      if (row.sequence > this.handled) lane.rows.push(row);
    }
    for (const mark of watermarks) {
      if (mark.sequence > this.handled) lane.watermarks.push({ ...mark, lane: laneName });
    }
    const last = Math.max(through, rows.at(-1)?.sequence ?? 0);
    if (last > this.handled) lane.held.push({ position, last });
  }

  /** The next source message that all lanes have come through and that caused something; undefined when there is none yet. */
  next(): ExchangeStep | undefined {
    const { through } = this;
    let sequence = Number.POSITIVE_INFINITY;
    for (const { rows, watermarks } of this.lanes) {
      sequence = Math.min(sequence, rows[0]?.sequence ?? sequence, watermarks[0]?.sequence ?? sequence);
    }
    if (sequence > through) {
      this.letGo(Math.max(this.handled, through));
      return undefined;
    }
    this.letGo(sequence);
    const rows = this.lanes.flatMap((lane) => takeWhile(lane.rows, sequence));
    const watermarks = this.lanes.flatMap((lane) => takeWhile(lane.watermarks, sequence));
    const waves = [...new Set([...rows, ...watermarks].map(({ wave }) => wave))].sort((a, b) => a - b);
    return {
      sequence,
      waves: waves.map((wave) => ({
        wave,
        // Stable: what one lane brought stays in its order, lanes in theirs.
        rows: rows.filter((row) => row.wave === wave).sort((a, b) => a.cause - b.cause),
        watermarks: watermarks.filter((mark) => mark.wave === wave),
      })),
    };
  }

  /** Everything up to this source sequence has been given out. */
  private letGo(handled: number): void {
    this.handled = handled;
    for (const { held } of this.lanes) while (held[0] && held[0].last <= handled) held.shift();
  }
}

/** The items at the front that belong to a sequence; a lane brings them in order of sequence. */
function takeWhile<T extends { readonly sequence: number }>(items: T[], sequence: number): T[] {
  let count = 0;
  while (count < items.length && (items[count] as T).sequence === sequence) count++;
  return items.splice(0, count);
}
