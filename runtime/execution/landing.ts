/** Where a dead letter that is redriven goes in, in the topology that handles it. */
import { fitEvent } from '../stream/fit-event.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';

export type LandingKind = 'source' | 'operator' | 'sink';

export interface Landed {
  readonly kind: LandingKind;
  readonly input: string;
  readonly events: readonly Event[];
}

export interface Refused {
  readonly kind: LandingKind | undefined;
  readonly problem: string;
}

export type Landing = Landed | Refused;

/** `input`: of an operator or a sink; null, or one that is gone, means its only one. */
export function landingOf(
  topology: BoundTopology,
  node: string,
  { input, events }: { readonly input: string | null; readonly events: readonly unknown[] },
): Landing {
  const place = placeOf(topology, node, input);
  if ('problem' in place) return place;
  const fitted: Event[] = [];
  for (const given of events) {
    const fit = fitEvent(given, place.schema);
    if ('problem' in fit) return { kind: place.kind, problem: `the event no longer fits ${node}: ${fit.problem}` };
    fitted.push(fit.event);
  }
  return { kind: place.kind, input: place.input, events: fitted };
}

type Place = { readonly kind: LandingKind; readonly input: string; readonly schema: Schema } | Refused;

function placeOf(topology: BoundTopology, node: string, input: string | null): Place {
  const source = topology.sources.find(({ id }) => id === node);
  if (source) return { kind: 'source', input: 'out', schema: source.bound.ports.out ?? { fields: {} } };
  const sink = topology.sinks.find(({ id }) => id === node);
  const operator = topology.operators.find(({ id }) => id === node);
  const kind = sink ? 'sink' : 'operator';
  const inputs = (sink ?? operator)?.inputs;
  if (!inputs) return { kind: undefined, problem: `the topology has no node ${node} any more` };
  // The inputs of a sink are all of one shape.
  const edge = inputs.find((one) => one.input === input) ?? (sink || inputs.length === 1 ? inputs[0] : undefined);
  if (edge) return { kind, input: edge.input, schema: edge.schema };
  const names = inputs.map((one) => one.input).join(', ');
  return {
    kind,
    problem:
      input === null ? `it is not known by which input it came (${names})` : `${node} has no input ${input} any more`,
  };
}
