/** The exchanges that enter a partition of a stage, as edges: the lanes of each put together, and their watermarks combined. */
import { type Observable, Subject } from 'rxjs';
import { end, type Frame } from '../../stream/frame.ts';
import { combineEdges, type Progress, unstarted } from '../../stream/watermark.ts';
import type { RowOrder } from '../../topology/spread.ts';
import { inOrder } from '../ordered-edge.ts';
import { exchangesIn, lanesInto, type StagePart } from '../stage-part.ts';
import type { ExchangeStep } from './exchange-merge.ts';

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

  /** Source events that a step goes back to. */
  countCauses(step: ExchangeStep): number {
    return causesOf(step).size;
  }

  /** The frames of a step, wave by wave: of each exchange the rows first, then its watermark where it has moved. */
  *framesOf(step: ExchangeStep): IterableIterator<WaveFrames> {
    const causes = causesOf(step);
    for (const { wave, rows, watermarks } of step.waves) {
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
            causes: own.map(({ cause }) => (cause < 0 ? -1 : (causes.get(cause) as number))),
          };
          frames.push({ exchange, frame });
        }
        const moved = this.advance(
          exchange,
          watermarks.filter((mark) => mark.exchange === exchange),
        );
        if (moved) frames.push({ exchange, frame: moved });
      }
      yield { wave, frames };
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
      input.forwarded = combineEdges([...input.lanes.values()]);
    }
  }

  private advance(
    exchange: string,
    marks: readonly { readonly lane: string; readonly time: number; readonly idle: boolean }[],
  ): Frame | undefined {
    if (marks.length === 0) return undefined;
    const input = this.input(exchange);
    for (const { lane, time, idle } of marks) {
      const before = input.lanes.get(lane) ?? unstarted;
      input.lanes.set(lane, { time: Math.max(before.time, time), idle, ended: false });
    }
    const { time, idle } = combineEdges([...input.lanes.values()]);
    if (time <= input.forwarded.time && idle === input.forwarded.idle) return undefined;
    input.forwarded = { time: Math.max(time, input.forwarded.time), idle };
    // Only the end is so far; every lane has come to it.
    if (time === Number.POSITIVE_INFINITY) return end;
    return { kind: 'watermark', ...input.forwarded };
  }

  private input(exchange: string): ExchangeInput {
    const input = this.inputs.get(exchange);
    if (!input) throw new Error(`invariant broken: there is no exchange ${exchange}`);
    return input;
  }
}

/** Source events by their index in the source message, numbered without gaps in the same order. */
function causesOf({ waves }: ExchangeStep): Map<number, number> {
  const causes = new Set<number>();
  for (const { rows } of waves) for (const { cause } of rows) if (cause >= 0) causes.add(cause);
  return new Map([...causes].sort((a, b) => a - b).map((cause, index) => [cause, index]));
}
