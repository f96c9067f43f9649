/** Reads the log in memory: the storage itself is the buffer, so that a reader holds nothing ahead. */
import type { Clock } from '../../clock.ts';
import { logErrors } from '../errors.ts';
import type { LogMessage, ReadOptions } from '../log.ts';
import { subjectMatches } from '../subjects.ts';
import type { FaultPlan } from './faults.ts';
import { type Cursor, expire, forgetPassed, letIn, type MemoryStorage, type StoredStream } from './storage.ts';

export interface MemoryReaderContext {
  readonly storage: MemoryStorage;
  readonly name: string;
  readonly incarnation: number;
  readonly clock: Clock;
  readonly faults: FaultPlan;
  /** The log closes them. */
  readonly readers: Set<AbortController>;
  /** What every reader has passed goes, once so many have begun. */
  readonly readersMin: number;
  readonly isDead: () => boolean;
}

/** The stream, or MACH3005 or MACH3006 when it cannot be read from here. */
function verified({ storage, name, incarnation, clock }: MemoryReaderContext, next: number): StoredStream {
  const stream = storage.streams.get(name);
  const notTheSame = (reason: string) => logErrors.make('MACH3006', { stream: name, reason });
  if (!stream) throw notTheSame('it does not exist any more');
  if (stream.incarnation !== incarnation) throw notTheSame('it was made again');
  expire(stream, clock.now());
  const { firstSequence, lastSequence } = stream;
  if (next > lastSequence + 1) {
    throw notTheSame(`its last message is ${lastSequence}, the position to read from is ${next}`);
  }
  if (!stream.spec.latestOnly && firstSequence > next) {
    throw logErrors.make('MACH3005', { stream: name, from: next, to: firstSequence - 1, firstSequence });
  }
  return stream;
}

function waitForMore(stream: StoredStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      stream.listeners.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    stream.listeners.add(wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}

export async function* readMemory(
  context: MemoryReaderContext,
  { fromSequence, subjects, signal }: ReadOptions,
): AsyncGenerator<LogMessage, void, void> {
  const { clock, faults, isDead } = context;
  const closing = new AbortController();
  const ends = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
  context.readers.add(closing);
  let next = Math.max(1, fromSequence);
  const cursor: Cursor = { next };
  let reading: StoredStream | undefined;
  try {
    while (!ends.aborted) {
      if (isDead()) await new Promise(() => undefined);
      const stream = verified(context, next);
      cursor.next = next;
      if (!reading) {
        reading = stream;
        reading.cursors.add(cursor);
        reading.readersBegun++;
      }
      if (reading.readersBegun >= context.readersMin) forgetPassed(reading);
      if (next > stream.lastSequence) {
        await waitForMore(stream, ends);
        continue;
      }
      const message = stream.messages.get(next);
      next++;
      if (!message || (subjects && !subjects.some((pattern) => subjectMatches(pattern, message.subject)))) continue;
      const delayMs = faults.forDelivery();
      if (delayMs > 0) await clock.sleep(delayMs, ends).catch(() => undefined);
      if (ends.aborted) break;
      if (isDead()) continue;
      yield message;
    }
  } finally {
    context.readers.delete(closing);
    reading?.cursors.delete(cursor);
    if (reading) letIn(reading);
  }
  if (closing.signal.aborted && !signal?.aborted) throw closing.signal.reason;
}
