/** Decodes anew what senders had sent: their texts lie in the log beside the events. */
import { limits } from '../../limits.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { DecodeResult, SourceEvent } from '../../stream/source-definition.ts';
import type { BoundSourceNode, BoundTopology } from '../../topology/bound.ts';
import { decodeRaws, type Segment, type SourceFrame, type StoredDeadLetter } from '../log-frame.ts';
import { replayErrors } from './errors.ts';
import type { PastMessage } from './past.ts';

export interface RedecodeCounts {
  /** Texts that were decoded again. */
  texts: number;
  /** Events that had no text in the log, and are as they were. */
  kept: number;
}

export interface Redecoder {
  /** Ids of the sources that can. */
  readonly sources: ReadonlySet<string>;
  readonly counts: RedecodeCounts;
  redecode(message: PastMessage, frame: SourceFrame): Promise<SourceFrame>;
}

/** Rejects with MACH3239 when no source of the topology can. What could not be decoded then stays a dead letter. */
export function redecoder({ before, topology }: { before: BoundTopology; topology: BoundTopology }): Redecoder {
  const able = topology.sources.filter(({ bound }) => bound.redecode ?? bound.decode);
  if (able.length === 0) {
    const source = topology.sources.map(({ id }) => id).join(', ');
    throw replayErrors.make('MACH3239', { source, reason: 'its connector has no decoder that works by itself' });
  }
  const byId = new Map(able.map((source) => [source.id, source]));
  const written = new Map(before.sources.map(({ id, bound }) => [id, (bound.ports.out ?? { fields: {} }) as Schema]));
  const counts: RedecodeCounts = { texts: 0, kept: 0 };
  return {
    sources: new Set(byId.keys()),
    counts,
    async redecode({ node, message }, frame) {
      const source = byId.get(node);
      const schema = written.get(node);
      if (!source || !schema) return frame;
      const raws = decodeRaws(message.payload, schema);
      return frameOf(source, { frame, raws, counts });
    },
  };
}

async function frameOf(
  source: BoundSourceNode,
  { frame, raws, counts }: { frame: SourceFrame; raws: readonly (string | null)[]; counts: RedecodeCounts },
): Promise<SourceFrame> {
  const segments: Segment[] = [];
  const decoded: SourceEvent[] = [];
  const deadLetters: StoredDeadLetter[] = [...frame.deadLetters];
  let at = 0;
  for (const segment of frame.segments) {
    const before = decoded.length;
    for (const end = at + segment.events; at < end; ) {
      const event = frame.events[at] as Event;
      const raw = textOf(event, raws[at]);
      if (raw === null) {
        decoded.push({ event, time: frame.times[at] as number });
        counts.kept++;
        at++;
        continue;
      }
      const again = await decodeText(source, { raw, origin: segment.origin, frame });
      counts.texts++;
      decoded.push(...again.events);
      for (const { raw: bytes, ...letter } of again.deadLetters) {
        const cut = bytes.subarray(0, limits.deadLetterBytesMax);
        deadLetters.push({ ...letter, raw: Buffer.from(cut).toString('base64') });
      }
      at++;
      // The other parts of the same message: its text stands with the first.
      while (at < end && Number((frame.events[at] as Event).part) > 0) at++;
    }
    // As many events as before, or not: whose line is whose is no longer known.
    const { lines: _, ...rest } = segment;
    segments.push({ ...rest, events: decoded.length - before });
  }
  const latest = frame.engineTime ?? Number.POSITIVE_INFINITY;
  const times = decoded.map(({ time }) => (time <= latest + limits.futureTimeMs ? time : latest));
  return { ...frame, segments, deadLetters, events: decoded.map(({ event }) => event), times };
}

/** Some events hold the whole text themselves, in a field of that name. */
function textOf(event: Event, raw: string | null | undefined): string | null {
  if (typeof raw === 'string') return raw;
  return typeof event.raw === 'string' && event.raw !== '' ? event.raw : null;
}

async function decodeText(
  { bound }: BoundSourceNode,
  { raw, origin, frame }: { raw: string; origin: string; frame: SourceFrame },
): Promise<DecodeResult> {
  const bytes = Buffer.from(raw);
  if (bound.redecode)
    return bound.redecode({ raw: bytes, place: { origin }, acceptedAt: frame.acceptedAt, now: frame.acceptedAt });
  return (await bound.decode?.(bytes, origin)) ?? { events: [], deadLetters: [] };
}
