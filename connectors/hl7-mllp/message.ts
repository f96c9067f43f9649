/** From the bytes of a frame or file to parsed segments. Splitting into fields is done by @medplum/core. */
import { Hl7Context, Hl7Segment } from '@medplum/core';
import { decodeText, withoutWideCharacters } from './charset.ts';
import { hl7Errors } from './errors.ts';
import { hl7Limits } from './limits.ts';

/** MSH as it was sent, byte by byte (Latin-1), for replies: they must echo what they do not understand. */
export interface Header {
  readonly context: Hl7Context;
  /** MSH-2 as it was sent. */
  readonly encodingCharacters: string;
  /** `fields[9]` is MSH-9. */
  readonly fields: readonly string[];
}

export interface Message {
  readonly header: Header;
  readonly context: Hl7Context;
  readonly text: string;
  /** Only those that events are made from, in order; the first is MSH. */
  readonly segments: readonly Hl7Segment[];
  /** Reads bytes in the message's character set. */
  readonly decode: (bytes: Buffer) => string;
}

const wanted = new Set(['EVN', 'PID', 'PV1', 'PV2', 'MRG', 'OBX', 'DG1']);
const usable = /^[^\p{L}\p{N}\s\p{C}]$/u;

/** Cuts what came in one frame or file at each MSH at the start of a line. Envelopes (FHS, BHS, BTS, FTS) are taken off. */
export function splitMessages(received: Buffer): Buffer[] {
  const { bytes } = withoutWideCharacters(received);
  const text = bytes.toString('latin1');
  const starts: number[] = [];
  for (const match of text.matchAll(/(?:^|[\r\n])[\s\v\0]*(?:\xEF\xBB\xBF)?(?=MSH[^A-Za-z0-9\s])/g)) {
    starts.push(match.index + match[0].length);
    if (starts.length > hl7Limits.batchMessagesMax) {
      throw hl7Errors.make('MACH2018', { limit: 'batchMessagesMax', max: hl7Limits.batchMessagesMax });
    }
  }
  const first = starts[0];
  if (first === undefined) {
    if (text.trim() === '') return [];
    if (/^\s*[FB]HS/.test(text)) throw hl7Errors.make('MACH2010', { reason: 'an empty batch' });
    throw hl7Errors.make('MACH2010', { reason: openingOf(text.trimStart()) });
  }
  const before = text
    .slice(0, first)
    .replace(/\xEF\xBB\xBF/g, '')
    .trim();
  if (before !== '' && !/^[FB]HS/.test(before)) {
    throw hl7Errors.make('MACH2010', { reason: openingOf(before) });
  }
  return starts.map((start, index) => withoutEnvelopeEnd(bytes.subarray(start, starts[index + 1] ?? bytes.length)));
}

/** What a text begins with, in words: the text itself may be somebody's name. */
function openingOf(text: string): string {
  const [, segment] = /^([A-Z][A-Z0-9]{2})[^A-Za-z0-9]/.exec(text) ?? [];
  if (segment !== undefined) return `it begins with the segment ${segment} and not with MSH`;
  if (text.startsWith('<')) return 'it begins with "<", as XML does';
  if (text.startsWith('{') || text.startsWith('[')) return `it begins with "${text[0]}", as JSON does`;
  return 'it begins with no segment';
}

function withoutEnvelopeEnd(bytes: Buffer): Buffer {
  const match = /[\r\n]+(?:BTS|FTS|BHS|FHS)[^A-Za-z0-9]/.exec(bytes.toString('latin1'));
  return match ? bytes.subarray(0, match.index) : bytes;
}

/** Throws MACH2010 and MACH2011. */
export function readHeader(bytes: Buffer): Header {
  const line = /^[^\r\n]*/.exec(bytes.toString('latin1', 0, 65_536))?.[0] ?? '';
  if (!line.startsWith('MSH') || line.length < 4) throw hl7Errors.make('MACH2010', { reason: 'no segment MSH' });
  const separator = line.charAt(3);
  if (!usable.test(separator)) {
    throw hl7Errors.make('MACH2011', { reason: `MSH-1 is ${JSON.stringify(separator)}` });
  }
  const fields = line.split(separator);
  const encodingCharacters = fields[1] ?? '';
  fields.splice(1, 0, separator);
  return { context: contextOf(separator, encodingCharacters), encodingCharacters, fields };
}

function contextOf(separator: string, sent: string): Hl7Context {
  // Senders whose program text was escaped once too often send ^~\\\\&; it can mean nothing else.
  const characters = sent.replace('\\\\', '\\');
  if (characters.length > 5) throw hl7Errors.make('MACH2011', { reason: `MSH-2 has ${characters.length} characters` });
  const used = [separator];
  for (const character of characters) {
    if (used.includes(character) || !usable.test(character)) {
      throw hl7Errors.make('MACH2011', { reason: `MSH-2 is ${JSON.stringify(characters)}` });
    }
    used.push(character);
  }
  // What the sender left out it does not use; a default that means something else already is put out of the way.
  const [component, repetition, escapeCharacter, subcomponent] = ['^', '~', '\\', '&'].map((usual, index) => {
    const given = characters[index];
    if (given !== undefined) return given;
    return used.includes(usual) ? '\0' : usual;
  });
  return new Hl7Context('\r', separator, component, repetition, escapeCharacter, subcomponent);
}

/** Throws MACH2007, MACH2008 and MACH2018 besides those of the header. */
export function readMessage(bytes: Buffer, header: Header, { charset }: { charset: string }): Message {
  const declared = firstOf(header.fields[18] ?? '', header.context);
  const decode = (part: Buffer) => decodeText(part, declared, charset);
  const text = decode(bytes);
  const lines = linesOf(text, header.context.fieldSeparator);
  if (lines.length > hl7Limits.segmentsMax) {
    throw hl7Errors.make('MACH2018', { limit: 'segmentsMax', max: hl7Limits.segmentsMax });
  }
  const segments: Hl7Segment[] = [];
  for (const [index, line] of lines.entries()) {
    if (index > 0 && !wanted.has(line.slice(0, 3))) continue;
    checkSize(line, header.context);
    segments.push(Hl7Segment.parse(line, header.context));
  }
  return { header, context: header.context, text, segments, decode };
}

function firstOf(field: string, context: Hl7Context): string {
  return (field.split(context.repetitionSeparator)[0] ?? '').split(context.componentSeparator)[0]?.trim() ?? '';
}

/** Segments; a line that begins with no segment's name is text that went on after a raw line end in the field before. */
function linesOf(text: string, separator: string): string[] {
  const lines: string[] = [];
  for (const line of text.split(/[\r\n]+/)) {
    if (line.trim() === '') continue;
    const trimmed = line.trimStart();
    const last = lines.length - 1;
    const isSegment = /^\w{3}$/.test(trimmed.slice(0, 3)) && (trimmed.length === 3 || trimmed[3] === separator);
    if (isSegment || last < 0) lines.push(trimmed);
    else lines[last] += `\n${line}`;
  }
  return lines;
}

/** Before the parser makes an object for each field: a megabyte of separators would be a hundred megabytes of objects. */
function checkSize(line: string, context: Hl7Context): void {
  if (line.length < hl7Limits.fieldsMax) return;
  let fields = 0;
  let parts = 0;
  for (const character of line) {
    if (character === context.fieldSeparator) fields += 1;
    else if (character === context.componentSeparator || character === context.repetitionSeparator) parts += 1;
  }
  if (fields > hl7Limits.fieldsMax) throw hl7Errors.make('MACH2018', { limit: 'fieldsMax', max: hl7Limits.fieldsMax });
  if (parts > hl7Limits.partsMax) throw hl7Errors.make('MACH2018', { limit: 'partsMax', max: hl7Limits.partsMax });
}
