/**
 * Escape sequences inside of fields (chapter 2.7). Not in the parser's library, and the libraries that have them take `\` for
 * granted as the escape character, read `\X..\` byte for byte as Latin-1, or leave `\.br\` as it is.
 */
import type { Hl7Context } from '@medplum/core';

/** `decode` reads the bytes of `\X..\` in the message's character set. What is no known sequence stays as it was sent. */
export function unescapeText(text: string, context: Hl7Context, decode: (bytes: Buffer) => string): string {
  const mark = context.escapeCharacter;
  let from = text.indexOf(mark);
  if (from < 0) return text;
  let out = '';
  let at = 0;
  while (from >= 0) {
    const to = text.indexOf(mark, from + 1);
    if (to < 0) break;
    const meaning = meaningOf(text.slice(from + 1, to), context, decode);
    if (meaning === undefined) {
      // Not a sequence (a path such as C:\temp\x): the second character may begin one.
      out += text.slice(at, to);
      at = to;
      from = to;
      continue;
    }
    out += text.slice(at, from) + meaning;
    at = to + 1;
    from = text.indexOf(mark, at);
  }
  return out + text.slice(at);
}

function meaningOf(sequence: string, context: Hl7Context, decode: (bytes: Buffer) => string): string | undefined {
  if (sequence === 'F') return context.fieldSeparator;
  if (sequence === 'S') return context.componentSeparator;
  if (sequence === 'T') return context.subcomponentSeparator;
  if (sequence === 'R') return context.repetitionSeparator;
  if (sequence === 'E') return context.escapeCharacter;
  if (sequence === 'P') return '#';
  if (sequence === 'H' || sequence === 'N') return '';
  if (/^X(?:[0-9A-Fa-f]{2})+$/.test(sequence)) return bytesToText(Buffer.from(sequence.slice(1), 'hex'), decode);
  if (/^\.(?:br|sp[+-]?\d*|ce)$/.test(sequence)) return '\n';
  if (/^\.(?:fi|nf|in[+-]?\d*|ti[+-]?\d*|sk[+-]?\d*)$/.test(sequence)) return ' ';
  // A change of the character set in the middle of the text: the whole message was decoded already.
  if (/^[CM][0-9A-Fa-f]{4,6}$/.test(sequence)) return '';
  return undefined;
}

function bytesToText(bytes: Buffer, decode: (bytes: Buffer) => string): string {
  try {
    return decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}
