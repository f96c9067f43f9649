/** Bytes to text: byte order marks, encodings, and one form of Vietnamese letters. */
import { fileDropErrors } from './errors.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'windows-1258';

function startsWith(content: Uint8Array, ...bytes: number[]): boolean {
  return bytes.every((byte, i) => content[i] === byte);
}

/** Index of the first byte that cannot stand where it is. Found by halving, so that the common case costs nothing. */
function firstInvalidByte(content: Buffer): number {
  let valid = 0;
  let invalid = content.length;
  while (valid < invalid) {
    const middle = (valid + invalid + 1) >> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(content.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle - 1;
    }
  }
  return valid;
}

/**
 * The text of a content. A byte order mark wins over the option. Letters come in one form (NFC): Windows-1258 writes tones
 * as letters of their own, and so do some systems in UTF-8, so that one name would be two keys. Throws MACH2207.
 */
export function decodeText(content: Buffer, encoding: Encoding): string {
  let actual: Encoding | 'utf-16be' = encoding;
  if (startsWith(content, 0xef, 0xbb, 0xbf)) actual = 'utf-8';
  else if (startsWith(content, 0xff, 0xfe)) actual = 'utf-16le';
  else if (startsWith(content, 0xfe, 0xff)) actual = 'utf-16be';
  // Valid, but no text: every second byte of UTF-16.
  const zero = actual === 'utf-8' ? content.subarray(0, 2).indexOf(0) : -1;
  if (zero >= 0) throw fileDropErrors.make('MACH2207', { encoding: actual, byte: zero });
  try {
    return new TextDecoder(actual, { fatal: true }).decode(content).normalize('NFC');
  } catch {
    const byte = actual === 'utf-8' ? firstInvalidByte(content) : content.length;
    throw fileDropErrors.make('MACH2207', { encoding: actual, byte });
  }
}
