/**
 * From bytes to text, by the character set of MSH-18 (HL7 table 0211). Strict: bytes that are not valid are an error and not
 * a replacement character, since a half-read name is a wrong name. Vietnamese text is put in its composed form (NFC).
 */
import { TextDecoder } from 'node:util';
import iconv from 'iconv-lite';
import { hl7Errors } from './errors.ts';

/** HL7 name to WHATWG label. Compared without case, blanks and hyphens. */
const labels: Readonly<Record<string, string>> = {
  ASCII: 'ascii',
  USASCII: 'ascii',
  ISOIR6: 'ascii',
  UNICODE: 'utf-8',
  UNICODEUTF8: 'utf-8',
  UTF8: 'utf-8',
  UNICODEUTF16: 'utf-16le',
  ISOIR13: 'shift_jis',
  ISOIR14: 'shift_jis',
  ISOIR87: 'iso-2022-jp',
  GB180302000: 'gb18030',
  KSX1001: 'euc-kr',
  BIG5: 'big5',
  CP1258: 'windows-1258',
};

const decoders = new Map<string, TextDecoder | null>();

function decoderOf(label: string): TextDecoder | null {
  const known = decoders.get(label);
  if (known !== undefined) return known;
  // Names come from senders: without a bound they could fill the memory.
  if (decoders.size > 200) decoders.clear();
  let decoder: TextDecoder | null = null;
  try {
    decoder = new TextDecoder(label, { fatal: true });
  } catch {
    decoder = null;
  }
  decoders.set(label, decoder);
  return decoder;
}

function labelOf(name: string): string {
  const plain = name.toUpperCase().replace(/[\s_-]/g, '');
  const part = /^(?:ISO)?8859\/?(\d{1,2})$/.exec(plain)?.[1];
  if (part) return `iso-8859-${part}`;
  return labels[plain] ?? name.toLowerCase();
}

/** Whether a name may stand in the option `charset`. */
export function isCharset(name: string): boolean {
  const label = labelOf(name);
  return label === 'ascii' || decoderOf(label) !== null || iconv.encodingExists(label);
}

/** Throws MACH2007 or MACH2008. `declared`: MSH-18, first repetition; `fallback`: the option `charset`. */
export function decodeText(bytes: Buffer, declared: string, fallback: string): string {
  const name = declared === '' ? fallback : declared;
  const label = labelOf(name);
  if (label === 'ascii') {
    // Senders that declare ASCII and send letters beyond it are common; the option says what they mean.
    if (isAscii(bytes)) return bytes.toString('latin1');
    if (labelOf(fallback) === 'ascii') throw hl7Errors.make('MACH2008', { charset: name });
    return decodeText(bytes, '', fallback);
  }
  const decoder = decoderOf(label);
  if (decoder) return decodeStrictly(decoder, bytes, name);
  if (iconv.encodingExists(label)) {
    const text = iconv.decode(bytes, label);
    if (text.includes('\uFFFD')) throw hl7Errors.make('MACH2008', { charset: name });
    return text.normalize('NFC');
  }
  const utf8 = decoderOf('utf-8');
  try {
    if (utf8) return decodeStrictly(utf8, bytes, 'UTF-8');
  } catch {
    // Not UTF-8 either: the name of the unknown set is what helps.
  }
  throw hl7Errors.make('MACH2007', { charset: name });
}

function decodeStrictly(decoder: TextDecoder, bytes: Buffer, name: string): string {
  try {
    return decoder.decode(bytes).normalize('NFC');
  } catch (error) {
    throw hl7Errors.make('MACH2008', { charset: name }, error);
  }
}

function isAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
}

/** UTF-16 by its mark or by the zero bytes beside "MSH"; such bytes as UTF-8, others as they are. A UTF-8 mark is taken off. */
export function withoutWideCharacters(bytes: Buffer): { readonly bytes: Buffer; readonly charset: string | undefined } {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    return { bytes: bytes.subarray(3), charset: 'UTF-8' };
  const little = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] !== 0 && bytes[1] === 0 && bytes[3] === 0);
  const big = (bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0 && bytes[1] !== 0 && bytes[2] === 0);
  const decoder = little ? decoderOf('utf-16le') : big ? decoderOf('utf-16be') : null;
  if (!decoder || bytes.length < 8) return { bytes, charset: undefined };
  return { bytes: Buffer.from(decodeStrictly(decoder, bytes, 'UTF-16')), charset: 'UTF-8' };
}
