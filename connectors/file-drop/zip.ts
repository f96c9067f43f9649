/**
 * Looks through a zip before anyone unpacks it for real: that it has few parts, that they lie one after the other and are
 * what the directory says, and that all of them together unpack to no more than a bound. A reader that trusts the sizes in the
 * headers can be made to fill the memory with a file of a few kilobytes.
 *
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 to 4.3.16.
 */
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { fileDropErrors } from './errors.ts';

const inflate = promisify(inflateRaw);
const signature = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const;
const endLength = 22;
const commentLengthMax = 65_535;

interface Part {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly offset: number;
}

const refuse = (reason: string) => fileDropErrors.make('MACH2208', { reason });

function findEnd(content: Buffer): number {
  const first = Math.max(0, content.length - endLength - commentLengthMax);
  for (let at = content.length - endLength; at >= first; at--) {
    if (content.readUInt32LE(at) === signature.end) return at;
  }
  throw refuse('it is not a zip, or was cut off');
}

function readDirectory(content: Buffer, partsMax: number): { parts: Part[]; start: number } {
  const end = findEnd(content);
  const count = content.readUInt16LE(end + 10);
  const start = content.readUInt32LE(end + 16);
  if (count > partsMax) throw refuse(`it has ${count} parts, more than the ${partsMax} allowed`);
  const parts: Part[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || content.readUInt32LE(at) !== signature.central) throw refuse('its directory is damaged');
    const nameLength = content.readUInt16LE(at + 28);
    parts.push({
      name: content.toString('utf8', at + 46, at + 46 + nameLength),
      flags: content.readUInt16LE(at + 8),
      method: content.readUInt16LE(at + 10),
      packed: content.readUInt32LE(at + 20),
      unpacked: content.readUInt32LE(at + 24),
      offset: content.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + content.readUInt16LE(at + 30) + content.readUInt16LE(at + 32);
  }
  if (at !== end) throw refuse('its directory is damaged');
  return { parts: parts.sort((a, b) => a.offset - b.offset), start };
}

/** Where the data of a part starts. */
function dataOf(content: Buffer, part: Part): number {
  const { offset } = part;
  if (offset + 30 > content.length || content.readUInt32LE(offset) !== signature.local) {
    throw refuse(`the part ${part.name} is not where the directory says`);
  }
  return offset + 30 + content.readUInt16LE(offset + 26) + content.readUInt16LE(offset + 28);
}

/** Refuses (MACH2208) what does not look like an honest workbook. */
export async function checkZip(content: Buffer, bounds: { bytesMax: number; partsMax: number }): Promise<void> {
  const { parts, start } = readDirectory(content, bounds.partsMax);
  let total = 0;
  let free = 0;
  for (const part of parts) {
    if (part.flags & 1) throw refuse('it is encrypted: save it without a password');
    // The readers that go from front to back must see the parts that the directory names, and no others.
    // Between two parts there may be a data descriptor of at most 24 bytes, and only after a part that says so.
    const gap = part.offset - free;
    if (gap < 0 || gap > 24) throw refuse('its parts overlap, or hide others');
    const data = dataOf(content, part);
    free = data + part.packed;
    if (free > start) throw refuse(`the part ${part.name} is longer than the file`);
    total += part.unpacked;
    if (total > bounds.bytesMax) throw refuse(`it unpacks to more than ${bounds.bytesMax} bytes`);
    if (part.method !== 0 && part.method !== 8) throw refuse(`the part ${part.name} is packed in an unusual way`);
    if (part.method === 0 && part.packed !== part.unpacked) throw refuse(`the part ${part.name} lies about its size`);
    if (part.method === 0) continue;
    const unpacked = await inflate(content.subarray(data, free), { maxOutputLength: Math.max(1, part.unpacked) }).catch(
      () => null,
    );
    if (unpacked?.length !== part.unpacked) throw refuse(`the part ${part.name} lies about its size, or is damaged`);
  }
  if (start - free > 24 || start < free) throw refuse('its parts overlap, or hide others');
}
