/** Takes what leaves a stage by its exchanges to the partitions of later stages. */
import type { Observable } from 'rxjs';
import type { Frame } from '../../stream/frame.ts';
import { subscribeFrames } from '../../stream/frame-subscriber.ts';
import type { Event } from '../../stream/schema.ts';
import { atEnd } from '../../stream/watermark.ts';
import type { NodePort } from '../../topology/bound.ts';
import type { Exchange } from '../../topology/spread.ts';
import { partitionOf } from '../key-groups.ts';
import type { LargeRows, RowGoal } from '../large-rows.ts';
import { destinationsOf, exchangesOut, type StagePart } from '../stage-part.ts';
import type { ExchangeRow, ExchangeWatermark } from './exchange-frame.ts';

export interface ExchangeOutput {
  row(stage: number, partition: number, row: Omit<ExchangeRow, 'index'>): void;
  watermark(stage: number, partition: number, mark: ExchangeWatermark): void;
}

export function passExchanges(args: {
  part: StagePart;
  frames(from: NodePort): Observable<Frame>;
  /** The source message that is being handled. */
  place(): Pick<ExchangeRow, 'sequence' | 'wave' | 'acceptedAt' | 'redrive'>;
  largeRows: LargeRows;
  to: ExchangeOutput;
}): void {
  const { part, to, largeRows } = args;
  for (const exchange of exchangesOut(part)) {
    const destinations = destinationsOf(part, exchange);
    if (destinations.length === 0) continue;
    const homeOf = routeOf(exchange, part);
    const isWhole = exchange.whereabouts.kind === 'everywhere';
    const findLarge = largeRows.finderOf(exchange.from, exchange.schema);
    const goals = goalsOf(exchange, part);
    subscribeFrames(args.frames(exchange.from), (frame) => {
      const { sequence, wave, acceptedAt, redrive } = args.place();
      if (frame.kind === 'batch') {
        const large = findLarge?.(frame);
        frame.events.forEach((event, at) => {
          const home = homeOf(event);
          // Of what every partition has, each passes on its own alone.
          if (isWhole && !destinations.includes(home)) return;
          const bytes = large?.get(at);
          if (bytes !== undefined) return largeRows.turnAway(goals, frame, { at, bytes });
          const [cause, time] = [frame.causes[at] as number, frame.times[at] as number];
          const row = { exchange: exchange.id, sequence, wave, cause, time, acceptedAt, event, redrive };
          to.row(exchange.toStage, home, row);
        });
        return;
      }
      const { time, idle, anew } = frame.kind === 'watermark' ? frame : { ...atEnd, anew: false };
      for (const partition of destinations)
        to.watermark(exchange.toStage, partition, {
          exchange: exchange.id,
          sequence,
          wave,
          time,
          idle,
          ...(anew && { anew }),
        });
    });
  }
}

/** The inputs of nodes that an exchange leads to. */
function goalsOf({ id }: Exchange, { plan }: StagePart): RowGoal[] {
  return [...plan.nodes.values()].flatMap(({ id: node, edges }) =>
    edges.flatMap((edge) => (edge.exchange === id ? [{ node, ...edge }] : [])),
  );
}

function routeOf({ route }: Exchange, { plan, partition }: StagePart): (event: Event) => number {
  if (route.kind === 'one') return () => 0;
  if (route.kind === 'same') return () => partition;
  return partitionOf(route.fields, plan.partitions);
}
