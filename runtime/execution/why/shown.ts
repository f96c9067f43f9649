/** How places, times and edges are named in answers. */
import type { Schema } from '../../stream/schema.ts';
import type { BoundTopology, NodePort } from '../../topology/bound.ts';
import type { Moment } from './lineage.ts';

/** `SEQUENCE/INDEX`; the sequence alone for a message without events. */
export function placeName({ sequence, at }: Moment): string {
  return at < 0 ? String(sequence) : `${sequence}/${at}`;
}

const timeMsMax = 8.64e15;

export function isoTime(time: number | null | undefined): string | null {
  if (time === null || time === undefined || !Number.isFinite(time) || Math.abs(time) > timeMsMax) return null;
  return new Date(time).toISOString();
}

export function schemaOfEdge(topology: BoundTopology, { node, port }: NodePort): Schema {
  const found = [...topology.sources, ...topology.operators].find(({ id }) => id === node);
  return found?.ports[port] ?? topology.sinks.find(({ id }) => id === node)?.inputs[0]?.schema ?? { fields: {} };
}
