/** Dead letters: one shape for what could not be decoded, handled or written. */
import { limits } from '../limits.ts';
import { defineSchema, type Event, field } from '../stream/schema.ts';
import type { StoredDeadLetter } from './log-frame.ts';

export const deadLetterSchema = defineSchema({
  node: field.string({ repeated: true, description: 'source, operator or sink that gave up' }),
  code: field.string({ repeated: true, description: 'error code, see `mach help CODE`' }),
  reason: field.string({ description: 'what was wrong' }),
  raw: field.string({ privacy: 'direct', description: 'what came, base64' }),
  place: field.json({ nullable: true, description: 'who sent it and where in it: connection, file, line' }),
  attempts: field.int({ description: 'how often it was tried' }),
});

export function deadLetterOf(node: string, { code, reason, raw, place }: StoredDeadLetter): Event {
  return { node, code, reason, raw, place, attempts: 1 };
}

/** An event that an operator or a sink turned away, as JSON. */
export function deadLetterOfEvent(node: string, event: Event): Event {
  const { code, reason, ...rest } = event;
  const raw = Buffer.from(JSON.stringify(rest)).subarray(0, limits.deadLetterBytesMax).toString('base64');
  return { node, code: String(code), reason: String(reason), raw, place: null, attempts: 1 };
}
