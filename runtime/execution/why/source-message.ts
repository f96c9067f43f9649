/** Messages as their senders sent them, found again in the messages of the log. */
import type { ErrorData } from '../../errors.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { decodeRaws, type Segment } from '../log-frame.ts';
import type { PastMessage } from '../replay/past.ts';

/** What a sender sent at once: an HL7 message (with the events made of it), an item of the 115 feed, a line of a file. */
export interface SourceMessage {
  readonly node: string;
  readonly sequence: number;
  /** Index of its first event in the message of the log, and one after that of its last. */
  readonly from: number;
  readonly to: number;
  readonly origin: string;
  /** When the engine accepted it, ms of the machine's clock. */
  readonly acceptedAt: number;
  /** Engine time then, ms; null where the log does not say. */
  readonly engineTime: number | null;
  /** The sender's own position after all that came with it, where it has said one. */
  readonly mark: string | null;
  /** Where it stood at the sender, as a dead letter of it would say: of a row its file and line. Null where that was not kept. */
  readonly senderPlace: ErrorData | null;
  readonly events: readonly Event[];
  readonly times: readonly number[];
  /** The sender's text; null where none was kept. */
  readonly raw: string | null;
}

/** The sent messages in a message of the log, in order; none in one that is no source's. */
export function sourceMessages(
  { node, sequence, frame, message }: PastMessage,
  topology: BoundTopology,
): SourceMessage[] {
  if (frame.kind !== 'source') return [];
  const schema = topology.sources.find(({ id }) => id === node)?.bound.ports.out as Schema | undefined;
  const raws = schema ? decodeRaws(message.payload, schema) : [];
  const sent: SourceMessage[] = [];
  let begin = 0;
  for (const segment of frame.segments) {
    const end = begin + segment.events;
    // Of the events that one message became the first carries its text.
    const hasTexts = raws.slice(begin, end).some((raw) => raw !== null);
    for (let from = begin; from < end; ) {
      let to = from + 1;
      while (hasTexts && to < end && (raws[to] ?? null) === null) to++;
      sent.push({
        node,
        sequence,
        from,
        to,
        origin: segment.origin,
        acceptedAt: frame.acceptedAt,
        engineTime: frame.engineTime ?? null,
        mark: segment.mark ?? null,
        senderPlace: placeIn(segment, from - begin),
        events: frame.events.slice(from, to),
        times: frame.times.slice(from, to),
        raw: raws[from] ?? null,
      });
      from = to;
    }
    begin = end;
  }
  return sent;
}

function placeIn({ place, lines }: Segment, at: number): ErrorData | null {
  const line = lines?.[at] ?? null;
  return place && line !== null ? { ...place, line } : (place ?? null);
}
