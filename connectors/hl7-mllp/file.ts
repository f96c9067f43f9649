/** For `mach decode`: files with one message or several, framed or not, a batch, or JSON lines with a field `message`. */
import type { DeadLetter, DecodeResult, ErrorData, SourceEvent } from '../../runtime/stream/index.ts';
import { jsonProblem } from '../../runtime/stream/index.ts';
import { type DecodeOptions, deadLetterOf, decodeFrame } from './decode.ts';
import { hl7Errors } from './errors.ts';
import { frameDecoder } from './framing.ts';

export function decodeFile(content: Uint8Array, name: string, options: DecodeOptions): DecodeResult {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const events: SourceEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  const take = (part: Buffer, place: ErrorData) => {
    const outcomes = decodeFrame(part, options);
    for (const outcome of outcomes) {
      if (outcome.events) events.push(...outcome.events);
      else deadLetters.push(deadLetterOf(outcome.bytes, outcome.failure, place));
    }
    if (outcomes.length === 0) {
      deadLetters.push(deadLetterOf(part, hl7Errors.make('MACH2020', { name }), place));
    }
  };
  if (isJsonLines(bytes)) readJsonLines(bytes, name, take, deadLetters);
  else if (isFramed(bytes)) readFrames(bytes, name, take, deadLetters);
  else take(bytes, { name });
  return { events, deadLetters };
}

type Take = (part: Buffer, place: ErrorData) => void;

function isFramed(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0x0b); at >= 0; at = bytes.indexOf(0x0b, at + 1)) {
    const rest = bytes.toString('latin1', at + 1, at + 7).replace('\xEF\xBB\xBF', '');
    if (/^(?:MSH|FHS|BHS)/.test(rest)) return true;
    if (bytes.indexOf(0x1c, at) >= 0 && at === 0) return true;
  }
  return false;
}

function readFrames(bytes: Buffer, name: string, take: Take, deadLetters: DeadLetter[]): void {
  const frames = frameDecoder({ messageBytesMax: bytes.length });
  for (const piece of [...frames.push(bytes), ...frames.end()]) {
    // A file ends where it ends: nothing more would have come, as it might on a connection.
    if (piece.kind === 'message') take(piece.bytes, { name });
    else {
      const failure = hl7Errors.make('MACH2002', { bytes: piece.bytes.length, connection: name });
      deadLetters.push(deadLetterOf(piece.bytes, failure, { name }));
    }
  }
}

function isJsonLines(bytes: Buffer): boolean {
  return /^(?:\xEF\xBB\xBF)?\s*\{/.test(bytes.toString('latin1', 0, 256));
}

function readJsonLines(bytes: Buffer, name: string, take: Take, deadLetters: DeadLetter[]): void {
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const place = { name, line: index + 1 };
    try {
      const value: unknown = JSON.parse(line);
      const message = value && typeof value === 'object' && 'message' in value ? value.message : undefined;
      if (typeof message !== 'string') throw new Error('no text in the field message');
      take(Buffer.from(message), place);
    } catch (error) {
      const failure = hl7Errors.make('MACH2021', { ...place, reason: jsonProblem(error) });
      deadLetters.push(deadLetterOf(Buffer.from(line), failure, place));
    }
  }
}
