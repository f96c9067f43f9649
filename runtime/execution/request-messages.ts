/** Requests of senders as messages of the log: several in one, or one in several. */
import type { LogStream, Payload } from '../bus/log.ts';
import { type Clock, wallTime } from '../clock.ts';
import type { ErrorData } from '../errors.ts';
import { limits } from '../limits.ts';
import { withColumns } from '../stream/event-columns.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { AppendRequest, SourceEvent } from '../stream/source-definition.ts';
import { executionErrors } from './errors.ts';
import { sourceMessage } from './handed-on.ts';
import type { Segment, StoredDeadLetter, WrittenSource } from './log-frame.ts';
import { eventCountOf, requestMeasure } from './request-bytes.ts';

export interface RequestMessages {
  /** Of one message, at most. */
  readonly bytesMax: number;
  /** About, without encoding it. */
  bytesOf(request: AppendRequest): number;
  /** All in one message. */
  together(requests: readonly AppendRequest[]): Payload;
  /** One in as many messages as it takes. Throws where an event is too large for any. */
  alone(request: AppendRequest, bytes: number): Payload[];
}

export function requestMessages(args: {
  readonly node: string;
  readonly schema: Schema;
  readonly stream: LogStream;
  readonly clock: Clock;
  /** Told of events whose time was too far ahead: how many. */
  onAhead(events: number): void;
}): RequestMessages {
  const { node, schema, stream, clock, onAhead } = args;
  // Every event is a row: what comes out as it came in has room in a message for sure (see `large-rows.ts`).
  const bytesMax = stream.handsOn ? stream.messageBytesMax : Math.min(limits.rowBytesMax, stream.messageBytesMax);
  const bytesOf = requestMeasure(schema, { handsOn: stream.handsOn === true });

  function splitOrWhole(request: AppendRequest, bytes: number): Payload[] {
    if (bytes > limits.encodedBytesMax) return splitRequest(request);
    const payload = encode([request]);
    return payload.length <= bytesMax ? [payload] : splitRequest(request);
  }

  /** One request in several messages: the mark stands in the last, so that it is only kept with all of the events. */
  function splitRequest(request: AppendRequest): Payload[] {
    const { mark, id, deadLetters = [], ...rest } = request;
    const events = eventCountOf(request);
    if (events + deadLetters.length <= 1) {
      throw executionErrors.make('MACH3202', { node, bytes: encode([request]).length, max: bytesMax });
    }
    // What could not be decoded is cut once there is one event at most, which then stands before it alone.
    const middle = events > 1 ? events >> 1 : events;
    const cutLetters = events > 0 ? 0 : deadLetters.length >> 1;
    const first: AppendRequest = {
      ...rest,
      ...sliceOf(request, 0, middle),
      ...(cutLetters > 0 && { deadLetters: deadLetters.slice(0, cutLetters) }),
      ...(id === undefined ? {} : { id: `${id}<` }),
    };
    const second: AppendRequest = {
      ...rest,
      ...sliceOf(request, middle, events),
      ...(id === undefined ? {} : { id: `${id}>` }),
      ...(mark === undefined ? {} : { mark }),
      ...(deadLetters.length > 0 && { deadLetters: deadLetters.slice(cutLetters) }),
    };
    return [first, second].flatMap((half) => splitOrWhole(half, bytesOf(half)));
  }

  function encode(requests: readonly AppendRequest[]): Payload {
    const hasLetters = requests.some((request) => (request.deadLetters ?? []).length > 0);
    const segments: Segment[] = requests.map((request) => ({
      origin: request.origin,
      events: eventCountOf(request),
      ...(request.mark === undefined ? {} : { mark: request.mark }),
      ...(request.id === undefined ? {} : { id: request.id }),
      ...(hasLetters && { letters: request.deadLetters?.length ?? 0 }),
      ...(request.place && request.events.length > 0 && placesOf(request.place, request.events)),
    }));
    const now = clock.now();
    const deadLetters: StoredDeadLetter[] = requests.flatMap((request) =>
      (request.deadLetters ?? []).map(({ raw, ...letter }) => ({
        ...letter,
        raw: Buffer.from(raw.subarray(0, limits.deadLetterBytesMax)).toString('base64'),
      })),
    );
    const given = contentOf(requests);
    const written = {
      acceptedAt: wallTime(),
      engineTime: now,
      segments,
      deadLetters,
      times: boundTimes(given.times, now),
      raws: given.raws,
    };
    return sourceMessage(
      stream,
      schema,
      given.columns ? withColumns(written, given.columns) : { ...written, events: given.events },
    );
  }

  /** Event time is bounded by engine time; the event's own fields keep what the sender said. */
  function boundTimes(times: readonly number[], now: number): readonly number[] {
    const latest = now + limits.futureTimeMs;
    let ahead = 0;
    for (let at = 0; at < times.length; at++) if ((times[at] as number) > latest) ahead++;
    if (ahead === 0) return times;
    onAhead(ahead);
    // Not the bound itself: the watermark would go that far, and make late what comes for an hour.
    return times.map((time) => (time > latest ? now : time));
  }

  return { bytesMax, bytesOf, together: encode, alone: splitOrWhole };
}

/** The events of a request from a place to another. */
function sliceOf(
  { events, columns }: AppendRequest,
  from: number,
  to: number,
): Pick<AppendRequest, 'events' | 'columns'> {
  const own = events.slice(from, to);
  if (!columns) return { events: own };
  const [begin, end] = [Math.max(0, from - events.length), Math.max(0, to - events.length)];
  return { events: own, columns: { events: columns.events.slice(begin, end), times: columns.times.slice(begin, end) } };
}

/** The events that stand in columns have no lines. */
function placesOf(place: ErrorData, events: readonly SourceEvent[]): Pick<Segment, 'place' | 'lines'> {
  const hasLines = events.some(({ line }) => line !== undefined);
  return { place, ...(hasLines && { lines: events.map(({ line }) => line ?? null) }) };
}

/** The events of all requests; without texts where none has one. */
function contentOf(requests: readonly AppendRequest[]): Pick<WrittenSource, 'columns' | 'events' | 'times' | 'raws'> {
  const [first] = requests;
  // Copied only where there is something to put together.
  if (first?.columns && first.events.length === 0 && requests.length === 1) {
    const { events: columns, times } = first.columns;
    return withColumns({ times, raws: [] }, columns);
  }
  const [events, times, raws]: [Event[], number[], (string | null)[]] = [[], [], []];
  for (const request of requests) {
    for (const { event, time, raw } of request.events) {
      events.push(event);
      times.push(time);
      raws.push(raw ?? null);
    }
    const { columns } = request;
    for (let at = 0; columns && at < columns.events.length; at++) {
      events.push(columns.events.events[at] as Event);
      times.push(columns.times[at] as number);
      raws.push(null);
    }
  }
  return { events, times, raws };
}
