/**
 * The encoding of events on the log: columns made from the schema, no field names, dictionaries for repeated text. A reader
 * decodes only the columns that it wants.
 *
 * Layout of a block of `n` events: for each column a tag byte, a length (uint32, little endian), then that many bytes.
 *
 * | tag | column                                              |
 * | --- | --------------------------------------------------- |
 * | 0   | every value null                                    |
 * | 1   | a byte each that says which are null, then float64 each |
 * | 2   | one byte each: 0 false, 1 true, 2 null              |
 * | 3   | JSON array                                          |
 * | 4   | dictionary: JSON array of texts, then an index each (uint8 or uint16 by its size); the last index means null |
 * | 5   | int32 offsets from a float64 base; the smallest int32 means null |
 */
import { isAscii } from 'node:buffer';
import { columnReader, type ReadColumn } from './compiled-access.ts';
import { EventColumns } from './event-columns.ts';
import { type Event, type Field, fieldNames, type Schema } from './schema.ts';

const tags = { empty: 0, float: 1, bool: 2, json: 3, dictionary: 4, offsets: 5 } as const;
const nullOffset = -0x80000000;
const offsetMax = 0x7fffffff;
const dictionaryMax = 0xfffe;
/** Index of null in a dictionary column of two bytes, and of one. */
const noPlace = 0xffff;
const narrowNoPlace = 0xff;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Grows as it is written; `take` hands out the bytes. */
export class ByteWriter {
  private buffer: Buffer;
  private at = 0;

  constructor(initialBytes = 16_384) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  uint8(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
  }

  bytes(data: Uint8Array): void {
    this.reserve(data.length);
    this.buffer.set(data, this.at);
    this.at += data.length;
  }

  /** Length, then the text as UTF-8. */
  text(text: string): void {
    const sizeMax = text.length * 3;
    this.reserve(4 + sizeMax);
    const written = this.buffer.write(text, this.at + 4);
    this.buffer.writeUInt32LE(written, this.at);
    this.at += 4 + written;
  }

  /** Begins anew, whatever was written. Room for more than so many bytes is given back: one huge message is not paid for ever after. */
  clear(keptBytesMax: number): void {
    this.at = 0;
    if (this.buffer.length > keptBytesMax) this.buffer = Buffer.allocUnsafe(keptBytesMax);
  }

  /** Bytes that there is room for. */
  get room(): number {
    return this.buffer.length;
  }

  take(): Uint8Array {
    const result = new Uint8Array(this.at);
    result.set(this.buffer.subarray(0, this.at));
    this.at = 0;
    return result;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}

/** Reads what `ByteWriter` wrote. Throws a RangeError beyond the end: a torn message is never half read. */
export class ByteReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(data: Uint8Array) {
    this.buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  uint8(): number {
    const value = this.buffer.readUInt8(this.at);
    this.at += 1;
    return value;
  }

  uint32(): number {
    const value = this.buffer.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }

  bytes(length: number): Buffer {
    if (this.at + length > this.buffer.length) throw new RangeError('the encoded frame is cut short');
    const part = this.buffer.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }

  text(): string {
    return this.bytes(this.uint32()).toString('utf8');
  }
}

/** Appends the columns of the events, in the order of the schema's fields. */
export function writeEvents(writer: ByteWriter, schema: Schema, events: readonly Event[] | EventColumns): void {
  for (const [name, field, read] of compiledOf(schema).fields) {
    const values = events instanceof EventColumns ? events.valuesOf(name) : read(events);
    if (values === null) {
      writer.uint8(tags.empty);
      writer.uint32(0);
      continue;
    }
    writeColumn(writer, field, values);
  }
}

/** Reads the columns back; fields outside `wanted` are skipped and absent from the events. */
export function readEvents(
  reader: ByteReader,
  schema: Schema,
  count: number,
  wanted?: ReadonlySet<string>,
): EventColumns {
  const all = compiledOf(schema).names;
  const names = wanted ? all.filter((name) => wanted.has(name)) : all;
  const columns: unknown[][] = [];
  let nulls: null[] | undefined;
  for (const name of all) {
    const tag = reader.uint8();
    const body = reader.bytes(reader.uint32());
    if (wanted && !wanted.has(name)) continue;
    if (tag === tags.empty) {
      nulls ??= new Array<null>(count).fill(null);
      columns.push(nulls);
    } else columns.push(readColumn(tag, body, count));
  }
  return new EventColumns(names, columns, { length: count });
}

interface Compiled {
  readonly names: readonly string[];
  readonly fields: readonly (readonly [name: string, field: Field, read: ReadColumn])[];
}

/** Made once for each schema. */
const compiledBySchema = new WeakMap<Schema, Compiled>();

function compiledOf(schema: Schema): Compiled {
  const known = compiledBySchema.get(schema);
  if (known) return known;
  const fields = Object.entries(schema.fields).map(([name, field]) => [name, field, columnReader(name)] as const);
  const made = { names: fieldNames(schema), fields };
  compiledBySchema.set(schema, made);
  return made;
}

/** One column of numbers that are never null, such as event times. */
export function writeNumbers(writer: ByteWriter, numbers: readonly number[]): void {
  writeNumberColumn(writer, numbers);
}

export function readNumbers(reader: ByteReader, count: number): number[] {
  const tag = reader.uint8();
  const body = reader.bytes(reader.uint32());
  return readColumn(tag, body, count) as number[];
}

function writeColumn(writer: ByteWriter, field: Field, values: readonly unknown[]): void {
  switch (field.type.kind) {
    case 'int':
    case 'float':
    case 'timestamp':
    case 'duration':
      writeNumberColumn(writer, values as (number | null)[]);
      return;
    case 'bool':
      writeBools(writer, values);
      return;
    case 'string':
      if ((field.repeated || field.type.values) && writeDictionary(writer, values as (string | null)[])) return;
      writeJson(writer, values);
      return;
    default:
      writeJson(writer, values);
  }
}

function writeJson(writer: ByteWriter, values: readonly unknown[]): void {
  writer.uint8(tags.json);
  writer.text(JSON.stringify(values));
}

function writeBools(writer: ByteWriter, values: readonly unknown[]): void {
  const bytes = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    bytes[index] = value === null ? 2 : value ? 1 : 0;
  }
  writer.uint8(tags.bool);
  writer.uint32(bytes.length);
  writer.bytes(bytes);
}

function writeNumberColumn(writer: ByteWriter, values: readonly (number | null)[]): void {
  const base = values.find((value): value is number => value !== null) ?? 0;
  let small = Number.isSafeInteger(base);
  for (let index = 0; small && index < values.length; index++) {
    const value = values[index];
    if (value === null || value === undefined) continue;
    small = Number.isSafeInteger(value) && Math.abs(value - base) <= offsetMax && !Object.is(value, -0);
  }
  if (small) {
    const offsets = new Int32Array(values.length);
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      offsets[index] = value === null || value === undefined ? nullOffset : value - base;
    }
    writer.uint8(tags.offsets);
    writer.uint32(8 + offsets.byteLength);
    writer.bytes(new Uint8Array(new Float64Array([base]).buffer));
    writer.bytes(new Uint8Array(offsets.buffer));
    return;
  }
  // JSON has neither NaN nor infinities, so floats travel as they are, with a byte each that says which are null.
  const floats = new Float64Array(values.length);
  const nulls = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === null || value === undefined) nulls[index] = 1;
    else floats[index] = value;
  }
  writer.uint8(tags.float);
  writer.uint32(nulls.byteLength + floats.byteLength);
  writer.bytes(nulls);
  writer.bytes(new Uint8Array(floats.buffer));
}

function writeDictionary(writer: ByteWriter, values: readonly (string | null)[]): boolean {
  const indexes = new Map<string, number>();
  const places = new Uint16Array(values.length);
  let last: string | null = null;
  let lastPlace = noPlace;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as string | null;
    if (value === last) {
      places[index] = lastPlace;
      continue;
    }
    let place = value === null ? noPlace : indexes.get(value);
    if (place === undefined) {
      place = indexes.size;
      // Mostly distinct texts are shorter as a plain array.
      if (place >= dictionaryMax || (place > 64 && place * 2 > index)) return false;
      indexes.set(value as string, place);
    }
    places[index] = place;
    last = value;
    lastPlace = place;
  }
  const texts = encoder.encode(JSON.stringify([...indexes.keys()]));
  const narrow = indexes.size < narrowNoPlace;
  writer.uint8(tags.dictionary);
  writer.uint32(4 + texts.length + 1 + values.length * (narrow ? 1 : 2));
  writer.uint32(texts.length);
  writer.bytes(texts);
  writer.uint8(narrow ? 1 : 2);
  // The low byte of `noPlace` is `narrowNoPlace`.
  writer.bytes(narrow ? new Uint8Array(places) : new Uint8Array(places.buffer));
  return true;
}

function readColumn(tag: number, body: Buffer, count: number): unknown[] {
  switch (tag) {
    case tags.empty:
      return new Array(count).fill(null);
    case tags.float:
      return readFloats(body, count);
    case tags.bool: {
      if (body.length < count) throw new RangeError('the encoded frame is cut short');
      const values = new Array<boolean | null>(count);
      for (let index = 0; index < count; index++) values[index] = body[index] === 2 ? null : body[index] === 1;
      return values;
    }
    case tags.json:
      // Plain ASCII, mostly: its bytes are its characters.
      return JSON.parse(isAscii(body) ? body.toString('latin1') : decoder.decode(body)) as unknown[];
    case tags.dictionary:
      return readDictionary(body, count);
    case tags.offsets:
      return readOffsets(body, count);
    default:
      throw new RangeError(`unknown column tag ${tag} in an encoded frame`);
  }
}

function readFloats(body: Buffer, count: number): (number | null)[] {
  if (body.length < count * 9) throw new RangeError('the encoded frame is cut short');
  const floats = new Float64Array(aligned(body.subarray(count, count * 9)));
  const values = new Array<number | null>(count);
  for (let index = 0; index < count; index++) values[index] = body[index] ? null : (floats[index] as number);
  return values;
}

function readOffsets(body: Buffer, count: number): (number | null)[] {
  if (body.length < 8 + count * 4) throw new RangeError('the encoded frame is cut short');
  const base = body.readDoubleLE(0);
  const offsets = new Int32Array(aligned(body.subarray(8, 8 + count * 4)));
  const values = new Array<number | null>(count);
  for (let index = 0; index < count; index++) {
    const offset = offsets[index] as number;
    values[index] = offset === nullOffset ? null : base + offset;
  }
  return values;
}

/** A copy that begins where numbers of any size may. */
function aligned({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

function readDictionary(body: Buffer, count: number): (string | null)[] {
  const textsLength = body.readUInt32LE(0);
  const texts = JSON.parse(decoder.decode(body.subarray(4, 4 + textsLength))) as (string | null)[];
  const narrow = body.readUInt8(4 + textsLength) === 1;
  const begin = 5 + textsLength;
  if (body.length < begin + count * (narrow ? 1 : 2)) throw new RangeError('the encoded frame is cut short');
  const none = narrow ? narrowNoPlace : noPlace;
  const values = new Array<string | null>(count);
  for (let index = 0; index < count; index++) {
    const place = narrow ? (body[begin + index] as number) : body.readUInt16LE(begin + index * 2);
    values[index] = place === none ? null : (texts[place] as string);
  }
  return values;
}
