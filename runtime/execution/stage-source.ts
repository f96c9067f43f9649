/** A source as a stage sees it: its events in waves, its watermark, the positions of its senders, and what has been appended before. */
import { Subject } from 'rxjs';
import { keepNewest } from '../keep-newest.ts';
import { limits } from '../limits.ts';
import { withColumns } from '../stream/event-columns.ts';
import { columnBatch, end, type Frame } from '../stream/frame.ts';
import { type Ledger, outcome, untold } from '../stream/ledger.ts';
import type { Event } from '../stream/schema.ts';
import { fieldNames, type Schema } from '../stream/schema.ts';
import { type OriginsSnapshot, OriginWatermarks } from '../stream/watermark.ts';
import type { BoundSourceNode } from '../topology/bound.ts';
import { decodeLetter } from './dead-letter.ts';
import { newLetters, type SilenceFrame, type SourceFrame } from './log-frame.ts';

export interface SourceSnapshot {
  readonly origins: OriginsSnapshot;
  readonly marks: Map<string, string>;
  readonly appendIds: Set<string>;
  readonly fields: readonly string[];
  /** Nothing more comes of it. */
  readonly ended?: boolean;
}

/** What a source needs of the stage that it stands in. */
export interface StageOfSource {
  readonly ledger: Ledger;
  /** Of the partitions that all read the source, this one tells of what is nobody's key. */
  readonly isFirst: boolean;
  /** The events up to here, or the watermark, are through: nodes with several inputs handle what came. */
  endWave(): void;
  deadLetter(letter: Event): void;
}

let numbers: readonly number[] = [];

/** `from` to `to` - 1. A copy takes a fraction of the time of counting. */
function numbersFrom(from: number, to: number): number[] {
  if (numbers.length < to) numbers = Array.from({ length: to }, (_, at) => at);
  return numbers.slice(from, to);
}

export class StageSource {
  readonly node: BoundSourceNode;
  readonly frames = new Subject<Frame>();
  readonly origins: OriginWatermarks;
  private readonly stage: StageOfSource;
  private marks = new Map<string, string>();
  private appendIds = new Set<string>();
  private forgetOldIds = keepNewest(this.appendIds, limits.appendIdentitiesMax);
  private forgetOldMarks = keepNewest(this.marks, limits.originMarksMax);
  private forwarded = Number.NEGATIVE_INFINITY;
  private idle = false;
  private hasEnded = false;

  constructor(node: BoundSourceNode, stage: StageOfSource) {
    this.node = node;
    this.stage = stage;
    this.origins = new OriginWatermarks(node.disorderMs, limits.watermarkStepMs);
  }

  /** The sender's own position that is in the log. */
  mark(origin: string): string | undefined {
    return this.marks.get(origin);
  }

  get ended(): boolean {
    return this.hasEnded;
  }

  handle(given: SourceFrame): void {
    const frame = this.node.eventTime === 'arrival' ? this.byArrival(given) : given;
    const { ledger, isFirst } = this.stage;
    const again = frame.segments.map(({ origin, id }) => id !== undefined && !this.remember(`${origin}\u0000${id}`));
    // What could not be decoded is nobody's key: the first partition tells of it.
    const letters = isFirst ? newLetters(frame, again) : [];
    ledger.open(frame.times.length, letters.length);
    for (const letter of letters) this.stage.deadLetter(decodeLetter(this.node.id, letter));
    if (this.node.eventTime === 'arrival' && this.origins.observeArrival(frame.times[0] ?? 0)) this.sendWatermark();
    let cause = 0;
    let from = 0;
    const sendUpTo = (to: number) => {
      if (to > from) this.sendEvents(frame, from, to);
      from = to;
    };
    for (const [at, segment] of frame.segments.entries()) {
      const begin = cause;
      cause += segment.events;
      if (segment.mark !== undefined) this.setMark(segment.origin, segment.mark);
      if (again[at]) {
        sendUpTo(begin);
        const outcomes = isFirst ? ledger : untold;
        for (let index = begin; index < cause; index++) outcomes.settle(index, outcome.dropped, 'appended twice');
        from = cause;
        continue;
      }
      const { engineTime: heardAt } = frame;
      for (let index = begin; index < cause; ) {
        const run = { from: index, to: cause, ...(heardAt !== undefined && { heardAt }) };
        const moved = this.origins.observeRun(segment.origin, frame.times, run);
        if (moved < 0) break;
        sendUpTo(moved);
        this.sendWatermark();
        index = moved;
      }
    }
    sendUpTo(cause);
  }

  handleSilence(frame: SilenceFrame): void {
    this.stage.ledger.open(0, 0);
    if (this.hasEnded) return;
    if (frame.ended) return this.finish();
    let moved = false;
    const noticed = frame.at === undefined ? undefined : { at: frame.at, idleMs: this.node.idleMs };
    for (const { origin, elapsedMs } of frame.idle) moved = this.origins.markIdle(origin, elapsedMs, noticed) || moved;
    for (const origin of frame.closed) moved = this.origins.close(origin) || moved;
    if (frame.quiet) moved = this.origins.markQuiet() || moved;
    if (moved) this.sendWatermark();
  }

  /** All that waits for this source is due. */
  finish(): void {
    this.hasEnded = true;
    this.frames.next(end);
    this.stage.endWave();
  }

  /** How far time has come, whether or not it has moved. */
  sayAnew(): void {
    const { time, allIdle: idle } = this.origins;
    this.frames.next(this.hasEnded ? end : { kind: 'watermark', time, idle, anew: true });
  }

  snapshot(): SourceSnapshot {
    return {
      ...(this.hasEnded && { ended: true }),
      origins: this.origins.snapshot(),
      marks: this.marks,
      appendIds: this.appendIds,
      fields: fieldNames(this.node.bound.ports.out as Schema),
    };
  }

  restore({ origins, marks, appendIds, ended = false }: SourceSnapshot): void {
    this.hasEnded = ended;
    this.origins.restore(origins);
    this.marks = marks;
    this.forgetOldMarks = keepNewest(marks, limits.originMarksMax);
    this.appendIds = appendIds;
    this.forgetOldIds = keepNewest(appendIds, limits.appendIdentitiesMax);
    this.forwarded = this.origins.time;
    this.idle = this.origins.allIdle;
  }

  /** A clock that was put back makes nothing late. */
  private byArrival(frame: SourceFrame): SourceFrame {
    const time = Math.max(frame.engineTime ?? frame.acceptedAt, this.origins.time);
    const times = frame.times.map(() => time);
    const { columns } = frame;
    if (!columns) return { ...frame, times };
    const { kind, acceptedAt, engineTime, segments, deadLetters } = frame;
    const rest = { kind, acceptedAt, segments, deadLetters, times, ...(engineTime !== undefined && { engineTime }) };
    return withColumns(rest, columns);
  }

  private sendEvents(frame: SourceFrame, from: number, to: number): void {
    // Most messages move no watermark, and go on whole.
    const isWhole = to - from === frame.times.length;
    const times = isWhole ? frame.times : frame.times.slice(from, to);
    const causes = numbersFrom(from, to);
    const { columns } = frame;
    if (columns) this.frames.next(columnBatch(isWhole ? columns : columns.slice(from, to), { times, causes }));
    else
      this.frames.next({ kind: 'batch', events: isWhole ? frame.events : frame.events.slice(from, to), times, causes });
    this.stage.endWave();
  }

  private sendWatermark(): void {
    const { time, allIdle } = this.origins;
    if (time === this.forwarded && allIdle === this.idle) return;
    this.forwarded = time;
    this.idle = allIdle;
    this.frames.next({ kind: 'watermark', time, idle: allIdle });
    this.stage.endWave();
  }

  /** The newest stands last, so that what goes is of origins that have said nothing for longest. */
  private setMark(origin: string, mark: string): void {
    this.marks.delete(origin);
    this.marks.set(origin, mark);
    this.forgetOldMarks();
  }

  private remember(identity: string): boolean {
    if (this.appendIds.has(identity)) return false;
    this.appendIds.add(identity);
    this.forgetOldIds();
    return true;
  }
}
