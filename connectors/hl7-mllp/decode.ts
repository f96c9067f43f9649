/** From bytes to the events or the dead letter that they become. Never throws. */
import {
  type DeadLetter,
  type ErrorData,
  limits,
  MachError,
  messageOf,
  type SourceEvent,
} from '../../runtime/stream/index.ts';
import { hl7Errors } from './errors.ts';
import { eventsOf } from './events.ts';
import { type Header, readHeader, readMessage, splitMessages } from './message.ts';
import type { ObservedField } from './observations.ts';

export interface DecodeOptions {
  readonly zone: string;
  readonly charset: string;
  readonly codes: ReadonlyMap<string, ObservedField>;
  readonly receivedAt: number | null;
}

export type Outcome = { readonly bytes: Buffer; readonly header: Header | undefined } & (
  | { readonly events: readonly SourceEvent[]; readonly failure?: undefined }
  | { readonly events?: undefined; readonly failure: MachError }
);

/** One message. */
function decodeMessage(bytes: Buffer, options: DecodeOptions): Outcome {
  let header: Header | undefined;
  try {
    header = readHeader(bytes);
    const message = readMessage(bytes, header, options);
    // Once in the log is enough: not again for each patient, nor where the event holds it already.
    const events = eventsOf(message, options).map((event) => ({
      event,
      time: event.occurred_at,
      ...(event.part === 0 && event.raw === null ? { raw: message.text } : {}),
    }));
    return { bytes, header, events };
  } catch (error) {
    return { bytes, header, failure: asCoded(error) };
  }
}

/** What came in one frame: nearly always one message. Empty: none. */
export function decodeFrame(bytes: Buffer, options: DecodeOptions): Outcome[] {
  try {
    return splitMessages(bytes).map((part) => decodeMessage(part, options));
  } catch (error) {
    return [{ bytes, header: undefined, failure: asCoded(error) }];
  }
}

export function deadLetterOf(bytes: Uint8Array, failure: MachError, place: ErrorData): DeadLetter {
  return {
    code: failure.code,
    reason: failure.message,
    raw: bytes.subarray(0, limits.deadLetterBytesMax),
    place,
  };
}

function asCoded(error: unknown): MachError {
  if (error instanceof MachError) return error;
  return hl7Errors.make('MACH2019', { reason: messageOf(error) }, error);
}
