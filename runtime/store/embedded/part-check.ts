/**
 * Whether the files of a part are what the engine meant to write.
 *
 * The engine (chDB 3.4, ClickHouse 26.7) goes on when the disk does not take a write: a part of a full disk has files that are empty or
 * end too early, and is answered for as if it were whole. A part lists its files with their sizes (`checksums.txt`), and files are only
 * ever appended to while a part is made: so a part whose files have the sizes listed has lost no write.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { decompressBlock } from './lz4.ts';

const heading = 'checksums format version: 4\n';
const lz4 = 0x82;
/** Before each compressed block: 16 bytes of checksum, then method (1), compressed size with these nine bytes (4), size (4). */
const blockChecksumBytes = 16;
const blockHeadBytes = 9;
/** Files that a part may have and does not list. Each is small and written at once. */
const unlisted = ['columns.txt', 'columns_substreams.txt', 'metadata_version.txt', 'default_compression_codec.txt'];

export interface PartFile {
  readonly name: string;
  readonly bytes: number;
}

/** The files listed. Throws when the list is not whole. */
export function parseChecksums(list: Uint8Array): PartFile[] {
  const bytes = Buffer.from(list.buffer, list.byteOffset, list.byteLength);
  if (bytes.subarray(0, heading.length).toString('latin1') !== heading)
    throw new RangeError('checksums.txt is not whole');
  const blocks: Uint8Array[] = [];
  for (let at = heading.length; at < bytes.length; ) {
    const head = at + blockChecksumBytes;
    if (head + blockHeadBytes > bytes.length) throw new RangeError('checksums.txt is not whole');
    const compressed = bytes.readUInt32LE(head + 1);
    const end = head + compressed;
    if (bytes[head] !== lz4) throw new RangeError(`checksums.txt is compressed by method ${bytes[head]}`);
    if (compressed < blockHeadBytes || end > bytes.length) throw new RangeError('checksums.txt is not whole');
    blocks.push(decompressBlock(bytes.subarray(head + blockHeadBytes, end), bytes.readUInt32LE(head + 5)));
    at = end;
  }
  return readFiles(Buffer.concat(blocks));
}

function readFiles(bytes: Buffer): PartFile[] {
  let at = 0;
  const skip = (count: number) => {
    at += count;
    if (at > bytes.length) throw new RangeError('checksums.txt is not whole');
  };
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      skip(1);
      const byte = bytes[at - 1] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const files: PartFile[] = [];
  for (let left = number(); left > 0; left--) {
    const length = number();
    skip(length);
    const name = bytes.toString('utf8', at - length, at);
    const size = number();
    // Its hash, and whether it is compressed; if so, the size and hash of what it holds.
    skip(17);
    if (bytes[at - 1] === 1) {
      number();
      skip(16);
    }
    files.push({ name, bytes: size });
  }
  return files;
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** What is wrong with the part in a folder, or null. A part that is gone by the time that it is looked at is right: it has been removed. */
export function partProblem(directory: string): string | null {
  try {
    const files = parseChecksums(readFileSync(join(directory, 'checksums.txt')));
    for (const { name, bytes } of files) {
      const actual = sizeOf(join(directory, name)) ?? sizeOf(join(directory, `${name}.proj`));
      if (actual === undefined) return goneOr(directory, `${name} is missing`);
      if (actual !== bytes && !name.endsWith('.proj')) return `${name} has ${actual} bytes, not ${bytes}`;
    }
    for (const name of unlisted) if (sizeOf(join(directory, name)) === 0) return `${name} is empty`;
    const columns = readFileSync(join(directory, 'columns.txt'), 'utf8');
    const count = Number(/^columns format version: 1\n(\d+) columns:\n/.exec(columns)?.[1] ?? Number.NaN);
    if (!(columns.split('\n').length - 3 >= count)) return 'columns.txt is not whole';
    return null;
  } catch (error) {
    return goneOr(directory, messageOf(error));
  }
}

function goneOr(directory: string, problem: string): string | null {
  return statSync(directory, { throwIfNoEntry: false }) ? problem : null;
}
