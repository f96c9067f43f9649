/** A hash of texts that is the same on every machine and for ever: checkpoints and samples depend on it. */

/** 64 bits of hash as two halves, each from 0 to 2^32 - 1: MurmurHash3's 32-bit mixing over UTF-16 units, with two seeds (public domain, A. Appleby). */
export function hashText(text: string): [number, number] {
  let high = 0x9747b28c;
  let low = 0x3c6ef372;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0xcc9e2d51);
    high = (high << 13) | (high >>> 19);
    low = Math.imul(low ^ unit, 0x1b873593);
    low = (low << 15) | (low >>> 17);
  }
  return [finish(high ^ text.length), finish(low ^ Math.imul(high, 0x85ebca6b))];
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
