/** The answer to "why", as it is printed and as `--json` gives it: plain data, personal fields hidden. */
import { counted } from '../../counted.ts';
import type { ErrorData } from '../../errors.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { PastMessage } from '../replay/past.ts';
import { collectPlaces, type Role } from './collect.ts';
import type { Condition } from './conditions.ts';
import { Curtain } from './curtain.ts';
import { type Explanation, isWithin } from './explain.ts';
import { whyLimits } from './limits.ts';
import { isoTime, placeName, schemaOfEdge } from './shown.ts';
import { type SourceMessage, sourceMessages } from './source-message.ts';
import { changeOf, stepsOf } from './steps.ts';

export interface WhyReport {
  readonly topology: string;
  readonly result: {
    readonly sink: string;
    readonly table: string | null;
    readonly stage: string;
    readonly partition: number;
    readonly sequence: number;
    readonly index: number;
    readonly time: string;
    readonly row: Event;
  };
  /** The sink first, then what fed it, back to the sources. */
  readonly steps: readonly WhyStep[];
  /** Those that, replayed alone from the state before the first, give the row; in order. */
  readonly messages: readonly WhyMessage[];
  readonly replay: {
    /** The state is that before this input message. */
    readonly before: number;
    /** True: it was tried, and gave the same row. Null: it was not tried. */
    readonly verified: boolean | null;
    /** More mattered, but alone it did not give the row: what came between did too. */
    readonly shortened: boolean;
  };
  /** When what led to the result began: the first change since its key had no state, of a window its first event. Null where no state was involved. */
  readonly began: WhyChange | null;
  /** It began earlier than was looked at. */
  readonly began_earlier: boolean;
  /** More messages mattered; what they did stands in the state. */
  readonly more: boolean;
  /** Some of them would be named if more were asked for. */
  readonly names_more: boolean;
  readonly log: {
    readonly first: number;
    readonly last: number;
    /** That the walk began from; null: the beginning of the log. */
    readonly checkpoint: string | null;
    /** Messages that had aged out, and that no checkpoint stood for: the state may have lacked what they said. */
    readonly missing: number;
  };
  readonly revealed: boolean;
}

export interface WhyStep {
  readonly depth: number;
  readonly node: string;
  readonly definition: string;
  readonly port: string | null;
  /** Why it is in the way: `in`, what came in by the input named; `state`, what changed that state last; `timer`, what set the timer. */
  readonly via: { readonly kind: 'result' | 'input' | 'state' | 'timer'; readonly name: string };
  /** What made the node act. */
  readonly by: WhyCause;
  readonly in: { readonly time: string; readonly event: Event } | null;
  readonly out: { readonly time: string; readonly event: Event } | null;
  readonly conditions: readonly Condition[];
  readonly state: readonly WhyState[];
  /** Of a source, or a dead letter that went in again: the message, by its place. */
  readonly message: string | null;
}

export interface WhyCause {
  readonly kind: 'event' | 'timer' | 'time';
  readonly timer: string | null;
  readonly time: string | null;
  /** Place of the message that moved time on; null for an event. */
  readonly moved_by: string | null;
}

export interface WhyState {
  readonly state: string;
  /** Of several fields: the values by their names. */
  readonly key: unknown;
  /** Before and after the message that gave the result; of windows, what is kept of the window of the result. */
  readonly before: unknown;
  readonly after: unknown;
  /** Changes since the key had no state, as far as they were looked at; of windows, by events of the window of the result. */
  readonly changes: number;
  readonly complete: boolean;
  readonly newest: readonly WhyChange[];
}

export interface WhyChange {
  readonly message: string;
  readonly by: 'event' | 'timer' | 'time';
  readonly time: string | null;
}

export interface WhyMessage {
  /** `SEQUENCE/INDEX`: message of the input stream, first event in it. */
  readonly place: string;
  readonly role: Role;
  /** It is of those that were asked for; the others are there for the trial, and for what lies in one message with those. */
  readonly listed: boolean;
  /** `message`: what a sender said. `silence`: the word that nobody spoke. `answers`: of a look-up. `redrive`: a dead letter again. */
  readonly kind: 'message' | 'silence' | 'answers' | 'redrive' | 'version';
  readonly source: string;
  readonly origin: string | null;
  readonly sequence: number;
  readonly events: readonly { readonly index: number; readonly time: string; readonly event: Event }[];
  readonly accepted_at: string | null;
  /** Engine time then. */
  readonly engine_time: string | null;
  /** The sender's own position after all that came with it. */
  readonly mark: string | null;
  /** Where it stood at the sender: the place that `mach dead-letter show` gives, or would give. Of a row of a file the file and the line. */
  readonly sender_place: ErrorData | null;
  /** The sender's text; null where none was kept. */
  readonly text: string | null;
  readonly text_characters: number | null;
  readonly note: string | null;
}

export interface ReportOptions {
  readonly past: { readonly first: number; readonly last: number };
  readonly topology: BoundTopology;
  readonly reveal: boolean;
}

export async function reportOf(explanation: Explanation, options: ReportOptions): Promise<WhyReport> {
  const { topology, past, reveal } = options;
  const { row, lineage, collected } = explanation;
  const unnamed = collectPlaces(lineage, { topology, placesMax: 0, known: explanation.places });
  const curtain = new Curtain(topology, { reveal });
  const messages = explanation.messages.flatMap((message) => messagesOf(message, { explanation, topology, curtain }));
  const sink = topology.sinks.find(({ id }) => id === row.sink);
  const schema = sink?.inputs[0]?.schema ?? { fields: {} };
  const shownRow = curtain.event(row.event, schema);
  const own = await explanation.walk.machineBefore(row.sequence);
  const before = structuredClone(own.snapshot());
  const ownMessage = await explanation.message(row.sequence);
  if (ownMessage) own.handle(ownMessage.sequence, ownMessage.node, ownMessage.frame);
  const steps = stepsOf({ topology, sink: row.sink, lineage, curtain, before, after: own.snapshot() });
  return {
    topology: topology.name,
    result: {
      sink: row.sink,
      table: sink?.bound.tables?.[0]?.name ?? null,
      stage: row.stage,
      partition: row.partition,
      sequence: row.sequence,
      index: row.index,
      time: isoTime(row.time) ?? '',
      row: shownRow,
    },
    steps,
    messages,
    replay: { before: explanation.from, verified: explanation.verified, shortened: explanation.shortened },
    began: collected.began ? changeOf(collected.began) : null,
    began_earlier: collected.beganEarlier,
    more: unnamed.older || collected.madeEarlier,
    // Where the trial with more has failed, to ask for more changes nothing.
    names_more: unnamed.beyond && !explanation.shortened,
    log: {
      first: past.first,
      last: past.last,
      checkpoint: explanation.restored?.name ?? null,
      missing: explanation.missing,
    },
    revealed: reveal,
  };
}

function messagesOf(
  message: PastMessage,
  args: { explanation: Explanation; topology: BoundTopology; curtain: Curtain },
): WhyMessage[] {
  const { explanation, topology, curtain } = args;
  const { node, sequence, frame } = message;
  const own = explanation.places.filter((place) => place.sequence === sequence);
  if (frame.kind !== 'source') {
    const place = own[0];
    if (!place) return [];
    return [
      { ...bareMessage(message), role: place.role, listed: place.listed, place: placeName({ node, sequence, at: -1 }) },
    ];
  }
  const schema = schemaOfEdge(topology, { node, port: 'out' });
  return sourceMessages(message, topology).flatMap((sent): WhyMessage[] => {
    const places = own.filter((place) => isWithin(place, sent));
    const role = (['cause', 'time', 'progress'] as const).find((one) => places.some((place) => place.role === one));
    const listed = places.some((place) => place.listed);
    return role ? [sentMessage(sent, { role, listed, schema, curtain })] : [];
  });
}

function sentMessage(
  sent: SourceMessage,
  args: { role: Role; listed: boolean; schema: Schema; curtain: Curtain },
): WhyMessage {
  const { role, listed, schema, curtain } = args;
  const { node, sequence, from, origin, raw } = sent;
  return {
    place: placeName({ node, sequence, at: from }),
    role,
    listed,
    kind: 'message',
    source: node,
    origin,
    sequence,
    events: sent.events.map((event, index) => ({
      index: from + index,
      time: isoTime(sent.times[index]) ?? '',
      event: curtain.event(event, schema),
    })),
    accepted_at: isoTime(sent.acceptedAt),
    engine_time: isoTime(sent.engineTime),
    mark: sent.mark,
    sender_place: sent.senderPlace,
    text: raw === null ? null : curtain.text(raw.slice(0, whyLimits.textCharacters)),
    text_characters: raw?.length ?? null,
    note: null,
  };
}

function bareMessage({ node, sequence, frame, message }: PastMessage): Omit<WhyMessage, 'role' | 'listed' | 'place'> {
  const nothing = { engine_time: null, mark: null, text: null, text_characters: null, origin: null, events: [] };
  const common = { ...nothing, sender_place: null, source: node, sequence, accepted_at: isoTime(message.storedAt) };
  if (frame.kind === 'silence') {
    const silent = frame.idle.map(({ origin, elapsedMs }) => `${origin} for ${Math.round(elapsedMs / 1_000)} s`);
    const parts = [...silent, ...frame.closed.map((origin) => `${origin} has closed`)];
    if (frame.ended) parts.push('nothing more will come of it');
    return { ...common, kind: 'silence', note: frame.quiet ? 'nobody has ever been heard' : parts.join(', ') };
  }
  if (frame.kind === 'answers') return { ...common, kind: 'answers', note: counted(frame.answers.length, 'answer') };
  if (frame.kind === 'version') return { ...common, kind: 'version', note: 'another version of the topology' };
  if (frame.kind === 'source') throw new Error('invariant broken: the message of a source is told sender by sender');
  const note = `dead letter ${frame.letter} of message ${frame.sequence}, that went in again`;
  return { ...common, kind: 'redrive', sender_place: frame.place ?? null, note };
}
