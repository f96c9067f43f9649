/**
 * Session windows, as `SessionWindows`, where every value is numbers alone and a session is given once, when it has ended: what is kept of it is a row of
 * numbers, events are taken in as columns, and results leave as such. In checkpoints both are the same.
 */
import type {
  Event,
  OperatorContext,
  OperatorHandler,
  Output,
  StateKey,
  TimedColumns,
} from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import { mergeCells } from './cell.ts';
import type { KeptWindows } from './kept-keys.ts';
import { keepSessions } from './kept-sessions.ts';
import { aggregateLimits } from './limits.ts';
import { CellPlaces, type NumberCells } from './number-cells.ts';
import { cellAt, endAt, OpenSessions, startAt } from './open-sessions.ts';
import { keyColumns, resultColumns } from './rows.ts';
import type { SessionSpan } from './session-windows.ts';
import type { AggregateSetting } from './setting.ts';

export class SessionRows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly cells: NumberCells;
  private readonly touchingMs: number;
  /** A session goes on for so long after an event. */
  private readonly reachMs: number;
  private readonly open: OpenSessions;
  private readonly kept: KeptWindows;
  private readonly places = new CellPlaces();

  constructor(
    context: OperatorContext,
    { setting, cells, span }: { setting: AggregateSetting; cells: NumberCells; span: SessionSpan },
  ) {
    const { gapMs, touchingMs } = span;
    this.context = context;
    this.setting = setting;
    this.cells = cells;
    this.touchingMs = touchingMs;
    this.reachMs = gapMs + touchingMs;
    this.open = new OpenSessions(cells);
    this.kept = keepSessions(context, this.open, { setting, cells });
  }

  resume(): void {
    this.kept.putTogether();
  }

  event(event: Event, time: number, out: Output): void {
    const { open } = this;
    const key = this.setting.heldKeys.of(event);
    const watermark = this.context.watermark();
    const known = open.find(key);
    let place = this.placeIn(known, time, watermark);
    if (place >= 0) this.kept.touch?.(key);
    else place = this.placeBehind(known, key, time);
    if (place >= 0) return this.cells.add(open.rows, place, event, time);
    const end = time + this.reachMs;
    const { newest, oldest, newer } = open.touched(key, { start: time, end, after: watermark });
    if (newest >= 0) {
      this.kept.touch?.(key);
      this.join(newest, oldest);
      this.lengthen(newest, time, end);
      return this.cells.add(open.rows, newest * open.width + cellAt, event, time);
    }
    if (end <= watermark) return out.late(event, time);
    const { keysMax } = this.setting;
    const { panesMax } = aggregateLimits;
    if (known < 0 && open.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    if (open.count >= panesMax) return turnAway(out, event, 'MACH1801', { panes: panesMax });
    this.kept.touch?.(key);
    const session = open.open(key, time, { start: time, end, newer });
    this.cells.add(open.rows, session * open.width + cellAt, event, time);
  }

  columns(batch: TimedColumns, alone: (row: number) => void): void {
    const { events, times } = batch;
    const { places, open, cells } = this;
    const keys = this.setting.heldKeys.ofAll(events);
    const watermark = this.context.watermark();
    places.begin(keys.length);
    const take = () => {
      cells.addAll?.(open.rows, places, batch);
      places.begin(keys.length);
    };
    for (let row = 0; row < keys.length; row++) {
      const key = keys[row] as StateKey;
      const time = times[row] as number;
      const newest = open.find(key);
      let place = this.placeIn(newest, time, watermark);
      if (place < 0) place = this.placeBehind(newest, key, time);
      if (place >= 0) {
        places.add(row, place);
        continue;
      }
      // It may join sessions that events before it belong to.
      take();
      alone(row);
    }
    take();
  }

  /** Where the cell of an event stands that comes to the newest session of its key; -1: it comes to another. */
  private placeIn(newest: number, time: number, watermark: number): number {
    if (newest < 0) return -1;
    const { rows, width } = this.open;
    const from = newest * width;
    const until = rows[from + endAt] as number;
    if (time >= until || time < (rows[from + startAt] as number) || until <= watermark) return -1;
    const end = time + this.reachMs;
    if (end > until) rows[from + endAt] = end;
    return from + cellAt;
  }

  /** Where the cell of a new session stands, behind all others of its key; -1: it may not be, or belongs elsewhere. */
  private placeBehind(newest: number, key: StateKey, time: number): number {
    const { open } = this;
    const { rows, width } = open;
    if (newest >= 0 && time < (rows[newest * width + endAt] as number)) return -1;
    const end = time + this.reachMs;
    const hasRoom = (newest >= 0 || open.size < this.setting.keysMax) && open.count < aggregateLimits.panesMax;
    if (end <= this.context.watermark() || !hasRoom) return -1;
    this.kept.touch?.(key);
    return open.open(key, time, { start: time, end, newer: -1 }) * width + cellAt;
  }

  /** The older becomes part of the newer. */
  private join(newer: number, older: number): void {
    if (newer === older) return;
    const { open, cells } = this;
    const { kind } = this.setting;
    const { rows, width } = open;
    const [into, from] = [newer * width, older * width];
    const cell = cells.cellOf(rows, into + cellAt);
    const other = cells.cellOf(rows, from + cellAt);
    mergeCells(kind, cell, other, kind.invertible);
    mergeCells(kind, cell, other, kind.monotone);
    cells.put(cell, rows, into + cellAt);
    rows[into + startAt] = rows[from + startAt] as number;
    open.drop(older);
  }

  private lengthen(session: number, start: number, end: number): void {
    const { rows, width } = this.open;
    const from = session * width;
    rows[from + startAt] = Math.min(rows[from + startAt] as number, start);
    rows[from + endAt] = Math.max(rows[from + endAt] as number, end);
  }

  watermark(time: number, out: Output): void {
    const { open, touchingMs } = this;
    const { rows, width, corrections } = open;
    const ended = open.takeEnded(time, this.kept.touch);
    open.closed = time;
    if (ended.length === 0) return;
    const { heldKeys, keyFields, rowNames } = this.setting;
    const ends = ended.map((session) => rows[session * width + endAt] as number);
    const columns = resultColumns(rowNames, {
      keys: keyColumns(
        heldKeys,
        keyFields,
        ended.map((session) => open.keyOf(session)),
      ),
      starts: ended.map((session) => rows[session * width + startAt] as number),
      ends: touchingMs === 0 ? ends : ends.map((end) => end - touchingMs),
      values: this.cells.columnsOf(
        rows,
        ended.map((session) => session * width + cellAt),
      ),
      early: false,
      ...(corrections.size > 0 && { revisions: ended.map((session) => corrections.get(session) ?? 0) }),
    });
    corrections.clear();
    out.emitColumns(
      columns,
      ends.map((end) => end - 1),
    );
  }
}
