/** The last message of an origin, looked for from the end of the input stream. */
import type { LogStream } from '../../bus/log.ts';
import type { Schema } from '../../stream/schema.ts';
import type { BoundSourceNode } from '../../topology/bound.ts';
import { parseEdgeToken } from '../../topology/names.ts';
import { decodeInputFrame } from '../log-frame.ts';
import { whyLimits } from './limits.ts';
import type { OriginWord } from './open-key.ts';

/** Undefined when it is not among the last `whyLimits.originSearchMessages`. */
export async function lastWordOf(
  input: LogStream,
  { id: source, bound }: BoundSourceNode,
  origin: string,
): Promise<OriginWord | undefined> {
  const { firstSequence, lastSequence } = await input.state();
  // In pieces from the end: mostly it is near.
  for (let until = lastSequence, size = whyLimits.originSearchStep; until >= firstSequence; size *= 2) {
    const from = Math.max(firstSequence, until - size + 1);
    const found = await newestIn(input, { source, schema: bound.ports.out as Schema, origin, from, until });
    if (found || lastSequence - from >= whyLimits.originSearchMessages) return found;
    until = from - 1;
  }
  return undefined;
}

async function newestIn(
  input: LogStream,
  {
    source,
    schema,
    origin,
    from,
    until,
  }: { source: string; schema: Schema; origin: string; from: number; until: number },
): Promise<OriginWord | undefined> {
  const reading = new AbortController();
  let found: OriginWord | undefined;
  try {
    for await (const { sequence, subject, payload } of input.read({ fromSequence: from, signal: reading.signal })) {
      if (sequence > until) break;
      if (parseEdgeToken(subject.split('.').at(-2) ?? '').node === source) {
        const frame = decodeInputFrame(payload, schema, new Set());
        if (frame.kind === 'source' && frame.segments.some((segment) => segment.origin === origin))
          found = { sequence, heardAt: frame.engineTime ?? frame.acceptedAt };
      }
      if (sequence === until) break;
    }
  } finally {
    reading.abort();
  }
  return found;
}
