/**
 * Puts the lanes that enter a partition of a later stage into one order: by source sequence, then wave, then cause, then lane. A sequence
 * is given out once every lane has come through it, so the order does not depend on which partition was faster. What a lane brings before
 * the slowest is held, up to a bound at which whoever reads it must pause (`mustPause`).
 */
import { limits } from '../../limits.ts';
import type { ExchangeFrame, ExchangeRow, ExchangeWatermark, PassedLink } from './exchange-frame.ts';

export interface LaneWatermark extends ExchangeWatermark {
  readonly lane: string;
}

/** Everything that one source message caused, in waves. */
export interface ExchangeStep {
  readonly sequence: number;
  /** The source message is a dead letter that went in again, or it answers the look-up of one. */
  readonly redrive: PassedLink | undefined;
  readonly waves: readonly {
    readonly wave: number;
    /** The letter that what comes in this wave goes back to. */
    readonly redrive: PassedLink | undefined;
    readonly rows: readonly ExchangeRow[];
    readonly watermarks: readonly LaneWatermark[];
  }[];
}

/** A message that says something of what is not yet given out, be it only that the lane has come through. */
interface Held {
  readonly position: number;
  readonly last: number;
  readonly bytes: number;
  /** It brings nothing. */
  readonly isBare: boolean;
}

interface Lane {
  readonly name: string;
  through: number;
  /** Log position after the newest message. */
  position: number;
  readonly rows: ExchangeRow[];
  readonly watermarks: LaneWatermark[];
  readonly held: Held[];
  heldBytes: number;
}

/** The end of a log of lanes, as somebody saw it. */
export interface LaneEnds {
  /** Position of the newest message of all. */
  readonly last: number;
  /** Position of the newest message of each lane, looked up after `last`. */
  readonly lastOf: ReadonlyMap<string, number>;
}

export class ExchangeMerge {
  private readonly lanes: Lane[];
  private handled: number;

  /** `handled`: source sequence given out already; `position`: log position of the next message. */
  constructor(lanes: readonly string[], { handled, position }: { handled: number; position: number }) {
    this.lanes = lanes.map((name) => ({
      name,
      through: handled,
      position,
      rows: [],
      watermarks: [],
      held: [],
      heldBytes: 0,
    }));
    this.handled = handled;
  }

  /** Source sequence that all lanes have come through. */
  get through(): number {
    return Math.min(...this.lanes.map(({ through }) => through));
  }

  /** Log position from which a restart must read to get everything after what was given out. */
  readFrom({ last, lastOf }: LaneEnds = { last: 0, lastOf: new Map() }): number {
    const positions = this.lanes.map(({ name, held, position }) => {
      if (held[0]) return held[0].position;
      // A lane that had nothing more up to there must not make a restart ask for messages that the log no longer has.
      return position > (lastOf.get(name) ?? 0) ? Math.max(position, last + 1) : position;
    });
    return Math.min(...positions);
  }

  /** Rows and watermarks that wait for slower lanes. */
  get waiting(): number {
    return this.lanes.reduce((sum, { rows, watermarks }) => sum + rows.length + watermarks.length, 0);
  }

  /** It holds as much as it may, and another lane is the one that is waited for. The slowest lane never pauses. */
  mustPause(laneName: string): boolean {
    const { through, rows, watermarks, heldBytes } = this.lane(laneName);
    if (through <= this.through) return false;
    return rows.length + watermarks.length >= limits.laneRowsMax || heldBytes >= limits.laneBytesMax;
  }

  push(position: number, laneName: string, { through, rows, watermarks }: ExchangeFrame, bytes = 0): void {
    const lane = this.lane(laneName);
    lane.position = position + 1;
    lane.through = Math.max(lane.through, through);
    for (const row of rows) {
      if (row.sequence > this.handled) lane.rows.push(row);
    }
    for (const mark of watermarks) {
      if (mark.sequence > this.handled) lane.watermarks.push({ ...mark, lane: laneName });
    }
    const last = Math.max(through, rows.at(-1)?.sequence ?? 0);
    if (last <= this.handled) return;
    const isBare = rows.length === 0 && watermarks.length === 0;
    // The newest word of how far a lane has come replaces the one before.
    if (isBare && lane.held.at(-1)?.isBare) lane.heldBytes -= (lane.held.pop() as Held).bytes;
    lane.held.push({ position, last, bytes, isBare });
    lane.heldBytes += bytes;
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
      redrive: rows.find(({ redrive }) => redrive)?.redrive,
      waves: waves.map((wave) => {
        const own = rows.filter((row) => row.wave === wave);
        return {
          wave,
          redrive: own.find(({ redrive }) => redrive)?.redrive,
          // Stable: what one lane brought stays in its order, lanes in theirs.
          rows: own.sort((a, b) => a.cause - b.cause),
          watermarks: watermarks.filter((mark) => mark.wave === wave),
        };
      }),
    };
  }

  /** Everything up to this source sequence has been given out. */
  private letGo(handled: number): void {
    this.handled = handled;
    for (const lane of this.lanes) {
      while (lane.held[0] && lane.held[0].last <= handled) lane.heldBytes -= (lane.held.shift() as Held).bytes;
    }
  }

  private lane(name: string): Lane {
    const lane = this.lanes.find((one) => one.name === name);
    if (!lane) throw new Error(`invariant broken: there is no lane ${name}`);
    return lane;
  }
}

/** The items at the front that belong to a sequence; a lane brings them in order of sequence. */
function takeWhile<T extends { readonly sequence: number }>(items: T[], sequence: number): T[] {
  let count = 0;
  while (count < items.length && (items[count] as T).sequence === sequence) count++;
  return items.splice(0, count);
}
