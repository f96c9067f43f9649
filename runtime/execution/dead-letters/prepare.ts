/** What goes into the log for a dead letter that is redriven. */
import { messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Event } from '../../stream/schema.ts';
import type { DecodeResult } from '../../stream/source-definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName } from '../../topology/names.ts';
import { landingOf } from '../landing.ts';
import type { RedriveFrame, StoredDeadLetter } from '../log-frame.ts';
import { type DeadLetterEntry, isCut } from './book.ts';

export type Prepared =
  /** `still`: why a part of it still cannot be decoded. */
  | { readonly frame: Omit<RedriveFrame, 'kind'>; readonly events: number; readonly still: readonly string[] }
  | { readonly problem: string };

/** Decodes again, or takes the event as it was; by the topology as it is now. Says why it cannot go in. `now`: ms since the epoch. */
export async function prepareRedrive(
  entry: DeadLetterEntry,
  raw: Uint8Array,
  topology: BoundTopology,
  now: number,
): Promise<Prepared> {
  if (isCut(raw))
    return { problem: `only the first ${limits.deadLetterBytesMax} bytes of it were kept (deadLetterBytesMax)` };
  return entry.kind === 'decode' ? prepareDecode(entry, raw, { topology, now }) : prepareEvent(entry, raw, topology);
}

function linkOf(entry: DeadLetterEntry) {
  const { id, first, attempts, sequence, time } = entry;
  return { letter: id, first: first ?? id, attempts, sequence, time };
}

async function prepareDecode(
  entry: DeadLetterEntry,
  raw: Uint8Array,
  { topology, now }: { topology: BoundTopology; now: number },
): Promise<Prepared> {
  const source = topology.sources.find(({ id }) => id === entry.node);
  if (!source) return { problem: `the topology has no source ${entry.node} any more` };
  const { decode, redecode } = source.bound;
  const place = (entry.place ?? {}) as StoredDeadLetter['place'];
  let decoded: DecodeResult | undefined;
  try {
    if (redecode) decoded = await redecode({ raw, place, acceptedAt: entry.time, now });
    else decoded = await decode?.(raw, String(place.file ?? place.name ?? entry.node));
  } catch (error) {
    return { problem: `decoding fails: ${messageOf(error)}` };
  }
  if (!decoded) return { problem: `${source.definition.name} cannot decode what it has kept` };
  const { events, deadLetters } = decoded;
  if (events.length + deadLetters.length === 0) return { problem: 'there is nothing in it' };
  const landing = landingOf(topology, entry.node, { input: null, events: events.map(({ event }) => event) });
  if ('problem' in landing) return landing;
  const frame = {
    ...linkOf(entry),
    input: null,
    events: landing.events,
    times: events.map(({ time }) => time),
    deadLetters: deadLetters.map(({ code, reason, raw: rest }) => ({
      code,
      reason,
      raw: Buffer.from(rest.subarray(0, limits.deadLetterBytesMax)).toString('base64'),
      place,
    })),
    raw: Buffer.from(raw).toString('base64'),
    place,
  };
  return { frame, events: events.length, still: deadLetters.map(({ code, reason }) => `${code} ${reason}`) };
}

function prepareEvent(entry: DeadLetterEntry, raw: Uint8Array, topology: BoundTopology): Prepared {
  let event: Event;
  try {
    event = JSON.parse(Buffer.from(raw).toString()) as Event;
  } catch (error) {
    return { problem: `what it holds is not an event: ${messageOf(error)}` };
  }
  const { node, input, sequence, index } = entry;
  const landing = landingOf(topology, node, { input, events: [event] });
  if ('problem' in landing) return landing;
  const origin = { stage: entry.stage ?? stageName(1), partition: entry.partition ?? 0, sequence, index };
  const frame = {
    ...linkOf(entry),
    input: landing.input,
    events: landing.events,
    times: [entry.time],
    deadLetters: [],
    ...(landing.kind === 'sink' && { origin }),
  };
  return { frame, events: 1, still: [] };
}
