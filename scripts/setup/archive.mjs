/** Reading one file out of a zip, and refusing what is not the file that was pinned. */
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { SetupError } from './system.mjs';

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
const endOfDirectoryBytes = 22;
const commentBytesMax = 65_535;
const methodStored = 0;
const methodDeflated = 8;

/**
 * The content of the first entry whose name `matches`. Layout: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
 * Zip64 is refused: nothing that is read here comes near 4 GiB.
 *
 * @param {Buffer} zip
 * @param {(name: string) => boolean} matches
 * @param {number} bytesMax the content may not be larger
 * @returns {Buffer}
 */
export function readZipEntry(zip, matches, bytesMax) {
  try {
    return findZipEntry(zip, matches, bytesMax);
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`the archive cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {Buffer} zip @param {(name: string) => boolean} matches @param {number} bytesMax */
function findZipEntry(zip, matches, bytesMax) {
  const end = findEndOfDirectory(zip);
  const entries = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let index = 0; index < entries; index++) {
    if (zip.readUInt32LE(at) !== directoryEntry)
      throw new SetupError('the archive is damaged: no directory entry where one must be');
    const nameBytes = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    if (matches(name)) return inflateEntry(zip, at, bytesMax);
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new SetupError('the archive does not hold the file that was expected in it');
}

/** @param {Buffer} zip */
function findEndOfDirectory(zip) {
  const lowest = Math.max(0, zip.length - endOfDirectoryBytes - commentBytesMax);
  for (let at = zip.length - endOfDirectoryBytes; at >= lowest; at--) {
    if (zip.readUInt32LE(at) === endOfDirectory) return at;
  }
  throw new SetupError('the archive is damaged or incomplete: it has no directory');
}

/** @param {Buffer} zip @param {number} at @param {number} bytesMax */
function inflateEntry(zip, at, bytesMax) {
  const method = zip.readUInt16LE(at + 10);
  const packedBytes = zip.readUInt32LE(at + 20);
  const bytes = zip.readUInt32LE(at + 24);
  const local = zip.readUInt32LE(at + 42);
  if (bytes > bytesMax)
    throw new SetupError(`the file in the archive has ${bytes} bytes, more than the ${bytesMax} expected at most`);
  if (zip.readUInt32LE(local) !== localHeader)
    throw new SetupError('the archive is damaged: no file where the directory says');
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + packedBytes);
  if (method === methodStored) return packed;
  if (method === methodDeflated) return inflateRawSync(packed, { maxOutputLength: bytesMax });
  throw new SetupError(`the archive uses compression method ${method}, which is not known here`);
}

/** @param {Buffer} content */
export function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

/** @param {Buffer} content @param {string} expected in hexadecimal @param {string} what names the content in the error */
export function verifySha256(content, expected, what) {
  const actual = sha256(content);
  if (actual !== expected) {
    throw new SetupError(
      `${what} is not the one that was pinned and was not used: sha256 ${actual}, expected ${expected}`,
    );
  }
}
