/** A look at the events of an edge while it runs: sampled, bounded in rate, personal fields hidden. */
import { merge, type Observable, type Subscription } from 'rxjs';
import { didYouMean } from '../did-you-mean.ts';
import type { Engine } from '../execution/engine.ts';
import { isShadow } from '../execution/stage-part.ts';
import { limits } from '../limits.ts';
import type { Frame } from '../stream/frame.ts';
import type { Event, Schema } from '../stream/schema.ts';
import { parseEdgeToken } from '../topology/names.ts';
import { hidePersonal } from './personal.ts';

export interface TapLine {
  readonly time: string;
  readonly event: Event;
  /** Events of the edge that were not shown since the line before. */
  readonly skipped: number;
}

/** Throws when there is no such node or port; `edge` is `node` or `node:port`. */
export function tapEdge(engine: Engine, edge: string, onLine: (line: TapLine) => void): Subscription {
  const { frames, schema } = edgeOf(engine, edge);
  let windowBegan = 0;
  let shown = 0;
  let skipped = 0;
  return frames.subscribe((frame) => {
    if (frame.kind !== 'batch') return;
    const now = performance.now();
    if (now - windowBegan > 1_000) {
      windowBegan = now;
      shown = 0;
    }
    for (let index = 0; index < frame.events.length; index++) {
      if (shown >= limits.tapEventsPerSecondMax) {
        skipped++;
        continue;
      }
      shown++;
      const time = new Date(frame.times[index] as number).toISOString();
      onLine({ time, event: hidePersonal(frame.events[index] as Event, schema), skipped });
      skipped = 0;
    }
  });
}

function edgeOf(engine: Engine, edge: string): { frames: Observable<Frame>; schema: Schema } {
  const { node, port } = parseEdgeToken(edge);
  const { topology, plan } = engine;
  const source = topology.sources.find(({ id }) => id === node);
  const operator = topology.operators.find(({ id }) => id === node);
  const sink = topology.sinks.find(({ id }) => id === node);
  const schema = source?.ports[port] ?? operator?.ports[port] ?? (port === 'out' ? sink?.inputs[0]?.schema : undefined);
  if (!schema) {
    const nodes = [...topology.sources, ...topology.operators, ...topology.sinks].map(({ id }) => id);
    const near = didYouMean(edge, nodes);
    throw new Error(`there is no edge ${edge}${near ? `; did you mean ${near}?` : ''}; nodes: ${nodes.join(', ')}`);
  }
  const number = plan.nodes.get(node)?.stage ?? 1;
  const outputs = [...engine.units.values()].flatMap(({ partition, stages }) => {
    const stage = stages[number - 1];
    // What every partition has is shown once.
    return !stage || isShadow({ plan, stage: number, partition }, node) ? [] : [stage.machine.output({ node, port })];
  });
  return { frames: merge(...outputs), schema };
}
