/** Where a row may be larger than the source event that it comes of: only there it has to be looked at whether the log could hold it. */
import { isText, type Schema } from '../stream/schema.ts';
import type { BoundTopology, NodePort } from './bound.ts';
import { spreadOf } from './spread.ts';

/** Whether what leaves by a port may have longer texts than what its sources accepted. */
export function mayGrow({ operators, sources }: BoundTopology, { node, port }: NodePort, schema: Schema): boolean {
  const known = new Set(sources.map(({ id }) => id));
  const grows = (at: NodePort, texts: readonly string[]): boolean => {
    if (known.has(at.node)) return false;
    const operator = operators.find(({ id }) => id === at.node);
    // The port of dead events adds why they are dead.
    if (!operator || at.port === 'dead') return true;
    const spread = spreadOf(operator);
    if (spread.kind !== 'each' || !texts.every((name) => spread.unchanged.includes(name))) return true;
    return operator.inputs.some(({ from }) => grows(from, texts));
  };
  return grows(
    { node, port },
    Object.entries(schema.fields).flatMap(([name, field]) => (isText(field) ? [name] : [])),
  );
}
