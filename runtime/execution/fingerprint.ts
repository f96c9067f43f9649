/** What the state of a node depends on, so that a checkpoint is never given to a node that means something else. */
import { createHash } from 'node:crypto';
import type { BoundTopology } from '../topology/bound.ts';

/** Node id to sha256 (hex) of its definition, options, and inputs' names and schemas; only nodes that keep state. */
export function fingerprintsOf(topology: BoundTopology): Record<string, string> {
  const fingerprints: Record<string, string> = {};
  for (const node of topology.operators) {
    if (node.bound.stateless) continue;
    const inputs = node.inputs.map((edge) => [edge.input, edge.from, Object.keys(edge.schema.fields)]);
    fingerprints[node.id] = hashOf([node.definition.name, node.options, inputs]);
  }
  return fingerprints;
}

/** Nodes of the old topology whose state the new one cannot take: changed or gone. */
export function changedNodes(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  return Object.keys(before).filter((node) => before[node] !== now[node]);
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/**
 * Node id to sha256 (hex) of all that its state and its results depend on: itself, and every node above it up to the sources (their
 * schemas and allowed disorder). Of two topologies with the same deep fingerprint of a node the same log makes the same state of it.
 */
export function deepFingerprintsOf(topology: BoundTopology): Record<string, string> {
  const deepFingerprints: Record<string, string> = {};
  for (const { id, ports, disorderMs, eventTime } of topology.sources) {
    const schemas = Object.entries(ports).map(([port, { fields }]) => [
      port,
      Object.entries(fields).map(([name, { type, nullable }]) => [name, type, nullable ?? false]),
    ]);
    deepFingerprints[id] = hashOf([disorderMs, schemas, ...(eventTime === 'arrival' ? [eventTime] : [])]);
  }
  for (const { id, definition, options, inputs } of topology.operators) {
    const above = inputs.map(({ input, from }) => [input, from.port, deepFingerprints[from.node]]);
    deepFingerprints[id] = hashOf([definition.name, options, above]);
  }
  return deepFingerprints;
}
