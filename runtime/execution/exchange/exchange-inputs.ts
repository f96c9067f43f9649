/** The exchanges that enter a partition of a stage, as edges: the lanes of each put together, and their watermarks combined. */
import { type Observable, Subject } from 'rxjs';
import { end, type Frame } from '../../stream/frame.ts';
import { atEnd, combineEdges, type Progress, unstarted } from '../../stream/watermark.ts';
import type { RowOrder } from '../../topology/spread.ts';
import { inOrder } from '../ordered-edge.ts';
import { exchangesIn, lanesInto, type StagePart } from '../stage-part.ts';
import type { PassedLink } from './exchange-frame.ts';
import type { ExchangeStep, LaneWatermark } from './exchange-merge.ts';

/** Exchange id to lanes, each with its progress. */
export type ExchangeInputsSnapshot = readonly (readonly [string, readonly (readonly [string, Progress])[]])[];

interface ExchangeInput {
  readonly frames: Subject<Frame>;
  readonly lanes: Map<string, Progress>;
  readonly order: RowOrder | null;
  forwarded: { time: number; idle: boolean };
}

export interface WaveFrames {
  readonly wave: number;
  readonly redrive: PassedLink | undefined;
  readonly frames: readonly { readonly exchange: string; readonly frame: Frame }[];
}

export class ExchangeInputs {
  private readonly inputs = new Map<string, ExchangeInput>();

  constructor(part: StagePart) {
    const lanes = lanesInto(part);
    for (const { id, order } of exchangesIn(part)) {
      const own = [...lanes].filter(([, exchanges]) => exchanges.some((exchange) => exchange.id === id));
      this.inputs.set(id, {
        frames: new Subject(),
        order,
        lanes: new Map(own.map(([lane]) => [lane, unstarted])),
        forwarded: { time: unstarted.time, idle: false },
      });
    }
  }

  frames(exchange: string): Observable<Frame> {
    return this.input(exchange).frames;
  }

  send(exchange: string, frame: Frame): void {
    this.input(exchange).frames.next(frame);
  }

  end(): void {
    for (const { frames } of this.inputs.values()) frames.next(end);
  }

  /** How far time has come on each, whether or not it has moved; of what has not been heard, be it that it has ended, the stage before says so. */
  sayAnew(): void {
    for (const { frames, forwarded } of this.inputs.values()) {
      if (forwarded.time === unstarted.time) continue;
      frames.next(forwarded.time === atEnd.time ? end : { kind: 'watermark', ...forwarded, anew: true });
    }
  }

  /** Source events of the message, as far as the step goes back to them. */
  countCauses({ waves }: ExchangeStep): number {
    let events = 0;
    for (const { rows } of waves) for (const { cause } of rows) events = Math.max(events, cause + 1);
    return events;
  }

  /** The frames of a step, wave by wave: of each exchange the rows first, then its watermark where it has moved. */
  *framesOf(step: ExchangeStep): IterableIterator<WaveFrames> {
    for (const { wave, redrive, rows, watermarks } of step.waves) {
      const frames: { exchange: string; frame: Frame }[] = [];
      for (const exchange of this.inputs.keys()) {
        const own = inOrder(
          rows.filter((row) => row.exchange === exchange),
          this.input(exchange).order,
        );
        if (own.length > 0) {
          const frame: Frame = {
            kind: 'batch',
            events: own.map(({ event }) => event),
            times: own.map(({ time }) => time),
            causes: own.map(({ cause }) => cause),
          };
          frames.push({ exchange, frame });
        }
        const moved = this.advance(
          exchange,
          watermarks.filter((mark) => mark.exchange === exchange),
        );
        if (moved) frames.push({ exchange, frame: moved });
      }
      yield { wave, redrive, frames };
    }
  }

  snapshot(): ExchangeInputsSnapshot {
    return [...this.inputs].map(([id, { lanes }]) => [id, [...lanes]] as const);
  }

  restore(snapshot: ExchangeInputsSnapshot): void {
    for (const [id, lanes] of snapshot) {
      const input = this.inputs.get(id);
      if (!input) continue;
      for (const [lane, progress] of lanes) if (input.lanes.has(lane)) input.lanes.set(lane, progress);
      // Where no lane comes, nothing is said: not that it has ended either.
      if (input.lanes.size > 0) input.forwarded = combineEdges([...input.lanes.values()]);
    }
  }

  private advance(
    exchange: string,
    marks: readonly Pick<LaneWatermark, 'lane' | 'time' | 'idle' | 'anew'>[],
  ): Frame | undefined {
    if (marks.length === 0) return undefined;
    const input = this.input(exchange);
    const anew = marks.some((mark) => mark.anew);
    for (const { lane, time, idle, anew: isAnew } of marks) {
      const known = input.lanes.get(lane) ?? unstarted;
      const before = isAnew && known.time === atEnd.time ? unstarted : known;
      input.lanes.set(lane, { time: Math.max(before.time, time), idle, ended: false });
    }
    const { time, idle } = combineEdges([...input.lanes.values()]);
    const before = anew && input.forwarded.time === atEnd.time ? unstarted.time : input.forwarded.time;
    if (time <= before && idle === input.forwarded.idle && !anew) return undefined;
    input.forwarded = { time: Math.max(time, before), idle };
    // Only the end is so far; every lane has come to it.
    if (time === atEnd.time) return end;
    return { kind: 'watermark', ...input.forwarded, ...(anew && { anew }) };
  }

  private input(exchange: string): ExchangeInput {
    const input = this.inputs.get(exchange);
    if (!input) throw new Error(`invariant broken: there is no exchange ${exchange}`);
    return input;
  }
}
