/** A hash of texts that is the same on every machine and for ever: checkpoints and samples depend on it. */

const highSeed = 0x9747b28c | 0;

/** 64 bits of hash as two halves, each from 0 to 2^32 - 1: MurmurHash3's 32-bit mixing over UTF-16 units, with two seeds (public domain, A. Appleby). */
export function hashText(text: string): [number, number] {
  let high = highSeed;
  let low = 0x3c6ef372;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = mixHigh(high, unit);
    low = Math.imul(low ^ unit, 0x1b873593);
    low = (low << 15) | (low >>> 17);
  }
  return [finish(high ^ text.length), finish(low ^ Math.imul(high, 0x85ebca6b))];
}

const digitsMax = 10;
const digits = new Uint8Array(digitsMax);
const zeroCode = 48;

/** The first half of `hashText`, for a text that is given piece by piece and need not be made. */
export class PieceHash {
  private high = highSeed;
  private length = 0;

  text(text: string): void {
    let { high } = this;
    for (let at = 0; at < text.length; at++) high = mixHigh(high, text.charCodeAt(at));
    this.high = high;
    this.length += text.length;
  }

  /** The text of a number; that of -0 is 0. */
  number(number: number): void {
    const whole = number | 0;
    if (whole !== number || whole < 0) return this.text(String(number));
    let first = digitsMax;
    let rest = whole;
    do {
      const above = (rest / 10) | 0;
      digits[--first] = rest - above * 10;
      rest = above;
    } while (rest > 0);
    let { high } = this;
    for (let at = first; at < digitsMax; at++) high = mixHigh(high, (digits[at] as number) + zeroCode);
    this.high = high;
    this.length += digitsMax - first;
  }

  /** Of all pieces since the last. */
  take(): number {
    const hash = finish(this.high ^ this.length);
    this.high = highSeed;
    this.length = 0;
    return hash;
  }
}

function mixHigh(high: number, unit: number): number {
  const mixed = Math.imul(high ^ unit, 0xcc9e2d51);
  return (mixed << 13) | (mixed >>> 19);
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
