/**
 * Rows that no message of the log could hold. A stage turns them away before they go out, as dead letters of the node that they were for:
 * what it gives must always find room, or it would end at the same row at each start.
 */
import { Observable } from 'rxjs';
import { limits } from '../limits.ts';
import type { Batch, Frame } from '../stream/frame.ts';
import { subscribeFrames } from '../stream/frame-subscriber.ts';
import { type Outcomes, outcome } from '../stream/ledger.ts';
import type { NodeCounts } from '../stream/node-runner.ts';
import { type LargeRowFinder, largeRowFinder } from '../stream/row-bytes.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { BoundTopology, NodePort } from '../topology/bound.ts';
import { stageName } from '../topology/names.ts';
import { mayGrow } from '../topology/row-growth.ts';
import type { SpreadEdge } from '../topology/spread.ts';
import { operatorLetter, sinkLetter } from './dead-letter.ts';
import { executionErrors } from './errors.ts';
import type { RedriveLink } from './log-frame.ts';
import type { StagePart } from './stage-part.ts';

/** The stage around it. */
export interface LargeRowStage {
  readonly topology: BoundTopology;
  readonly part: StagePart;
  readonly ledger: Outcomes;
  /** Of a node that runs here. */
  countsOf(node: string): NodeCounts | undefined;
  /** The letter that is going in again right now. */
  redrive(): RedriveLink | undefined;
  deadLetter(letter: Event, time: number): void;
}

/** Where a row was to go. */
export interface RowGoal extends Pick<SpreadEdge, 'input' | 'from' | 'schema'> {
  readonly node: string;
}

export class LargeRows {
  private readonly stage: LargeRowStage;

  constructor(stage: LargeRowStage) {
    this.stage = stage;
  }

  /** Of what leaves a node; undefined where no row can be larger than what sources accept (see `source-runner.ts`). */
  finderOf(from: NodePort, schema: Schema): LargeRowFinder | undefined {
    return mayGrow(this.stage.topology, from, schema) ? largeRowFinder(schema, limits.rowBytesMax) : undefined;
  }

  /** The frames of an edge without the rows that are too large. */
  takenOut(frames: Observable<Frame>, goal: RowGoal): Observable<Frame> {
    const find = this.finderOf(goal.from, goal.schema);
    if (!find) return frames;
    return new Observable<Frame>((subscriber) =>
      subscribeFrames(frames, (frame) => {
        const large = frame.kind === 'batch' ? find(frame) : undefined;
        if (frame.kind !== 'batch' || !large) return subscriber.next(frame);
        for (const [at, bytes] of large) this.turnAway([goal], frame, { at, bytes });
        const kept = without(frame, large);
        if (kept.times.length > 0) subscriber.next(kept);
      }),
    );
  }

  /** One row of a batch, as a dead letter of each node that it was for. */
  turnAway(goals: readonly RowGoal[], batch: Batch, { at, bytes }: { at: number; bytes: number }): void {
    const { topology, part, ledger, countsOf, redrive, deadLetter } = this.stage;
    const [event, time] = [batch.events[at] as Event, batch.times[at] as number];
    ledger.settle(batch.causes[at] as number, outcome.dead);
    for (const { node, input, from } of goals) {
      const { code, message: reason } = executionErrors.make('MACH3211', {
        from: from.node,
        bytes,
        max: limits.rowBytesMax,
      });
      const counts = countsOf(node);
      if (counts) {
        counts.in++;
        counts.dead++;
      }
      const isSink = topology.sinks.some(({ id }) => id === node);
      const place = { stage: stageName(part.stage), partition: part.partition };
      const letter = isSink
        ? sinkLetter(node, { event, code, reason, ...place }, redrive())
        : operatorLetter(node, { event, time, code, reason, input }, redrive());
      deadLetter(letter, time);
    }
  }
}

function without(batch: Batch, places: ReadonlyMap<number, number>): Batch {
  const kept = <Value>(values: readonly Value[]) => values.filter((_, at) => !places.has(at));
  return { kind: 'batch', events: kept(batch.events), times: kept(batch.times), causes: kept(batch.causes) };
}
