/** What the stream of dead letters holds: the letters, and what became of those that were redriven. */
import type { LogStream } from '../../bus/log.ts';
import { keepNewest } from '../../keep-newest.ts';
import { limits } from '../../limits.ts';
import { type DeadLetterKind, type DeadLetterRow, deadLetterId, decodeDeadLetterRows } from '../dead-letter.ts';
import type { OutputRow } from '../log-frame.ts';

/** A letter without what it holds, which is read when it is needed. */
export interface DeadLetterEntry {
  readonly id: string;
  readonly kind: DeadLetterKind;
  readonly node: string;
  readonly input: string | null;
  readonly code: string;
  readonly reason: string;
  readonly place: unknown;
  /** Of the source message that it goes back to, in the input stream. */
  readonly sequence: number;
  readonly index: number;
  /** Of a row that a sink refused. */
  readonly stage: string | null;
  readonly partition: number | null;
  /** Event time; of what could not be decoded the time at which it was accepted. Ms since the epoch. */
  readonly time: number;
  /** When it became a letter, ms since the epoch. */
  readonly storedAt: number;
  readonly attempts: number;
  /** Ids of the letters of the first attempt and of the one before, of one that has failed again. */
  readonly first: string | null;
  readonly previous: string | null;
  /** Where it stands in the stream of dead letters. */
  readonly position: number;
}

export interface DeadLetterFilter {
  readonly node?: string;
  readonly code?: string;
  /** Became a letter at this time or later, ms since the epoch. */
  readonly since?: number;
  readonly isWanted?: (entry: DeadLetterEntry) => boolean;
}

export interface DeadLetterBook {
  /** Oldest first: the newest `limits.deadLettersReadMax` that the filter passes. */
  readonly entries: readonly DeadLetterEntry[];
  /** Older ones that the filter passes too, but that there was no room for. */
  readonly passedOver: number;
  /** Outcomes of what a letter gave when it was redriven, by its id. */
  readonly endings: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** The letter that came of one that failed again, by the id of the one before. */
  readonly followers: ReadonlyMap<string, string>;
}

export async function readDeadLetterBook(
  stream: LogStream | undefined,
  filter: DeadLetterFilter = {},
): Promise<DeadLetterBook> {
  const entries = new Map<string, DeadLetterEntry>();
  const endings = new Map<string, Record<string, number>>();
  const followers = new Map<string, string>();
  const forgetEntries = keepNewest(entries, limits.deadLettersReadMax);
  const forgetEndings = keepNewest(endings, limits.deadLettersReadMax);
  const forgetFollowers = keepNewest(followers, limits.deadLettersReadMax);
  let passedOver = 0;
  if (!stream) return { entries: [], passedOver, endings, followers };
  for await (const { payload, sequence: position, storedAt } of readWhole(stream)) {
    for (const row of decodeDeadLetterRows(payload)) {
      if (row.event.kind === 'ending') {
        if (row.event.previous !== null) addOutcomes(endings, row.event.previous, row.event.place);
        continue;
      }
      const entry = entryOf(row, { position, storedAt });
      if (entry.previous !== null) followers.set(entry.previous, entry.id);
      // A sink that crashed after it had buried a row buries it again: it is the same letter.
      if (entries.has(entry.id) || !passes(entry, filter)) continue;
      entries.set(entry.id, entry);
      passedOver += forgetEntries();
    }
    forgetEndings();
    forgetFollowers();
  }
  return { entries: [...entries.values()], passedOver, endings, followers };
}

function addOutcomes(endings: Map<string, Record<string, number>>, id: string, outcomes: unknown): void {
  // Each partition says what it did with it.
  const sums = endings.get(id) ?? {};
  for (const [name, count] of Object.entries((outcomes ?? {}) as Record<string, number>)) {
    sums[name] = (sums[name] ?? 0) + count;
  }
  endings.set(id, sums);
}

function passes(entry: DeadLetterEntry, { node, code, since, isWanted }: DeadLetterFilter): boolean {
  if (node !== undefined && entry.node !== node) return false;
  if (code !== undefined && entry.code !== code) return false;
  if (since !== undefined && entry.storedAt < since) return false;
  return isWanted?.(entry) ?? true;
}

function entryOf(
  row: OutputRow & { readonly event: DeadLetterRow },
  { position, storedAt }: { position: number; storedAt: number },
): DeadLetterEntry {
  const { kind, node, input, code, reason, place, attempts, first, previous, stage, partition } = row.event;
  const { sequence, index, time } = row;
  return {
    id: deadLetterId(row),
    kind: kind as DeadLetterKind,
    node,
    input,
    code,
    reason,
    place,
    sequence,
    index,
    stage,
    partition,
    time,
    storedAt,
    attempts,
    first,
    previous,
    position,
  };
}

export type RawReader = (entry: Pick<DeadLetterEntry, 'id' | 'position'>) => Promise<Uint8Array | undefined>;

/** Messages whose letters a reader remembers: neighbours mostly stand in one. */
const messagesRemembered = 2;

/** Reads what letters hold: of a source the bytes that came, of operators and sinks the event as JSON. Undefined when it is gone. */
export function rawReader(stream: LogStream): RawReader {
  const remembered = new Map<number, Promise<ReadonlyMap<string, string>>>();
  const load = async (position: number) => {
    const message = await stream.get(position);
    const rows = message ? decodeDeadLetterRows(message.payload) : [];
    return new Map(rows.map((row) => [deadLetterId(row), row.event.raw]));
  };
  return async ({ id, position }) => {
    const raws = remembered.get(position) ?? load(position);
    remembered.set(position, raws);
    if (remembered.size > messagesRemembered) remembered.delete(remembered.keys().next().value as number);
    const raw = (await raws).get(id);
    return raw === undefined ? undefined : Buffer.from(raw, 'base64');
  };
}

/** Whether what came was longer than a letter holds. */
export function isCut(raw: Uint8Array): boolean {
  return raw.length >= limits.deadLetterBytesMax;
}

/** Every message from the oldest to what is the newest now. */
async function* readWhole(stream: LogStream) {
  const { firstSequence, lastSequence, messages } = await stream.state();
  if (messages === 0) return;
  const reading = new AbortController();
  try {
    for await (const message of stream.read({ fromSequence: firstSequence, signal: reading.signal })) {
      yield message;
      if (message.sequence >= lastSequence) return;
    }
  } finally {
    reading.abort();
  }
}
