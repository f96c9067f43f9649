/** The input log, read from its first message to its last: what was accepted, in order, and how far time had come at each event. */
import type { MemoryStorage } from '../../../runtime/bus/memory/storage.ts';
import { decodeInputFrame } from '../../../runtime/execution/log-frame.ts';
import { topologyNames } from '../../../runtime/topology/names.ts';
import { NaiveSourceTime, slower } from './naive-time.ts';
import { disorderMs, type SourceName, sentSchema, sourceNames } from './workloads.ts';

export interface LoggedEvent {
  readonly source: SourceName;
  readonly serial: number;
  readonly id: string;
  readonly hospital: string;
  readonly value: number | null;
  readonly time: number;
  readonly reached: Reached;
}

/** How far event time had come when an event was handled: that of the source `beds`, and that of a node which both sources feed. */
export interface Reached {
  readonly beds: number;
  readonly both: number;
}

export interface Walk {
  readonly events: readonly LoggedEvent[];
  /** Events of requests that were in the log before. */
  readonly repeated: number;
  /** Texts that no decoder could read, of requests that count. */
  readonly unreadable: readonly string[];
  readonly end: Reached;
  /** How far event time was ahead of the time of day, at most, ms; negative when it never was. */
  readonly aheadMs: number;
  readonly messages: number;
}

export function walkInput(storage: MemoryStorage, topology: string, idleMs: number): Walk {
  const stream = storage.streams.get(topologyNames(topology).inputStream('s1'));
  const rule = { disorderMs, idleMs };
  const times = { beds: new NaiveSourceTime(rule), calls: new NaiveSourceTime(rule) };
  let reached: Reached = { beds: Number.NEGATIVE_INFINITY, both: Number.NEGATIVE_INFINITY };
  /** Time never goes back, also where another source is the slower one from now on. */
  const goOn = (now: number) => {
    const [beds, calls] = [times.beds.now(), times.calls.now()];
    aheadMs = Math.max(aheadMs, beds.time - now, calls.time - now);
    reached = { beds: beds.time, both: Math.max(reached.both, slower(beds, calls)) };
  };
  const events: LoggedEvent[] = [];
  const unreadable: string[] = [];
  const known = new Set<string>();
  let repeated = 0;
  let aheadMs = Number.NEGATIVE_INFINITY;
  const messages = [...(stream?.messages.values() ?? [])].sort((a, b) => a.sequence - b.sequence);
  for (const { subject, payload, storedAt } of messages) {
    const source = sourceNames.find((name) => subject.split('.').at(-2) === name);
    if (!source) continue;
    const frame = decodeInputFrame(payload, sentSchema);
    const time = times[source];
    if (frame.kind === 'silence') {
      for (const { origin, elapsedMs } of frame.idle)
        time.silent(origin, elapsedMs, frame.at ?? Number.POSITIVE_INFINITY);
      if (frame.quiet) time.neverHeard();
      goOn(storedAt);
      continue;
    }
    if (frame.kind !== 'source') continue;
    const isAgain = (segment: { origin: string; id?: string }) =>
      known.has(`${source} ${segment.origin} ${segment.id}`);
    let letter = 0;
    let at = 0;
    for (const segment of frame.segments) {
      const again = isAgain(segment);
      known.add(`${source} ${segment.origin} ${segment.id}`);
      const letters = frame.deadLetters.slice(letter, letter + (segment.letters ?? 0));
      letter += letters.length;
      if (!again) unreadable.push(...letters.map(({ raw }) => Buffer.from(raw, 'base64').toString()));
      for (const end = at + segment.events; at < end; at++) {
        if (again) {
          repeated++;
          continue;
        }
        const { serial, id, hospital, value } = frame.events[at] as Record<string, unknown>;
        const eventTime = frame.times[at] as number;
        events.push({ source, serial, id, hospital, value, time: eventTime, reached } as LoggedEvent);
        const acceptedAt = frame.engineTime ?? Number.POSITIVE_INFINITY;
        time.heard(segment.origin, Math.min(eventTime, acceptedAt), acceptedAt);
        goOn(storedAt);
      }
    }
  }
  return { events, repeated, unreadable, end: reached, aheadMs, messages: messages.length };
}
