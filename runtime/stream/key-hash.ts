/**
 * Hashes of keys for tables in memory. Keys come from senders: with a seed that nobody outside knows (Marvin, as .NET has it for the same
 * reason) they cannot be chosen so that all of them meet. A hash is never written down.
 */
import { randomBytes } from 'node:crypto';
import type { StateKey } from './operator-state.ts';

const seed = randomBytes(8);
const seedLow = seed.readInt32LE(0);
const seedHigh = seed.readInt32LE(4);
const bits = new DataView(new ArrayBuffer(8));

/** The text that was hashed last: who looks a key up mostly sets it next. */
let lastText = '';
let lastHash = hashOfPart(lastText, 0, 0);

/** Numbers that `Map` takes for one have one hash. */
export function hashOf(key: StateKey): number {
  if (typeof key === 'number') return hashOfNumber(key);
  if (key !== lastText) recallHash(key, hashOfPart(key, 0, key.length));
  return lastHash;
}

/** For who keeps texts together with their hashes: the hash of a text that is used next. */
export function recallHash(text: string, hash: number): void {
  lastText = text;
  lastHash = hash;
}

function hashOfNumber(key: number): number {
  let low = key | 0;
  let high = 0;
  if (low !== key) {
    bits.setFloat64(0, key);
    low = bits.getInt32(4);
    high = bits.getInt32(0);
  }
  low = Math.imul(low ^ seedLow, 0x85ebca6b);
  low ^= low >>> 15;
  low = Math.imul(low + high + seedHigh, 0xc2b2ae35);
  return low ^ (low >>> 16);
}

/** Of the characters of a text from a place to before another: what `hashOf` gives for them as a text of their own. */
export function hashOfPart(text: string, from: number, to: number): number {
  let a = seedLow;
  let b = seedHigh;
  const even = from + ((to - from) & ~1);
  for (let at = from; at < even; at += 2) {
    a = (a + (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))) | 0;
    b ^= a;
    a = (a << 20) | (a >>> 12);
    a = (a + b) | 0;
    b = (b << 9) | (b >>> 23);
    b ^= a;
    a = (a << 27) | (a >>> 5);
    a = (a + b) | 0;
    b = (b << 19) | (b >>> 13);
  }
  // After the last character comes a mark, so that a text and the same with a zero at its end are two.
  a = (a + (even < to ? text.charCodeAt(even) | (0x80 << 16) : 0x80)) | 0;
  for (let round = 0; round < 2; round++) {
    b ^= a;
    a = (a << 20) | (a >>> 12);
    a = (a + b) | 0;
    b = (b << 9) | (b >>> 23);
    b ^= a;
    a = (a << 27) | (a >>> 5);
    a = (a + b) | 0;
    b = (b << 19) | (b >>> 13);
  }
  return a ^ b;
}
