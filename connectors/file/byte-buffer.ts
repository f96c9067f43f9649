/**
 * UTF-8 that grows by short parts, which are written where they end up: a text of the language that is put together of parts costs the collector
 * more than the parts.
 */
const beginBytes = 64 * 1_024;
/** Of one UTF-16 unit, at most. */
const unitBytesMax = 3;
const asciiMax = 0x7f;
/** Of a longer text a call of the native writer takes less time than a loop. */
const shortTextLength = 24;
const zero = 0x30;
const int32Digits = 10;

/** Characters that a text must not have if it is to be written as it is. */
export interface CharacterSet {
  /** Of ASCII, for each byte of UTF-8: 1 where it is one of them. */
  readonly isIn: Uint8Array;
  /** All of them: one by one where they are few. */
  readonly sought: RegExp | readonly string[];
}

export function characterSet(sought: RegExp | readonly string[]): CharacterSet {
  const isOne = (text: string) => (sought instanceof RegExp ? sought.test(text) : sought.includes(text));
  const flagOf = (code: number) => (code <= asciiMax && isOne(String.fromCharCode(code)) ? 1 : 0);
  return { sought, isIn: Uint8Array.from({ length: 256 }, (_, code) => flagOf(code)) };
}

export class ByteBuffer {
  /** Of what was added. A shorter one takes back what came last. */
  length = 0;
  private bytes = Buffer.allocUnsafe(beginBytes);

  /** All that was added; it changes when this is used again. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What it can hold before it grows. */
  get capacity(): number {
    return this.bytes.length;
  }

  addText(text: string): void {
    this.reserve(text.length * unitBytesMax);
    this.length += this.bytes.write(text, this.length);
  }

  /** Adds a text without the characters of a set; gives false, and adds nothing, where it has one of them. */
  addTextWithout(set: CharacterSet, text: string): boolean {
    const { length } = text;
    if (length > shortTextLength) return this.addLongTextWithout(set, text);
    this.reserve(shortTextLength);
    const { bytes } = this;
    const { isIn } = set;
    let at = this.length;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > asciiMax) return this.addLongTextWithout(set, text);
      if (isIn[unit] !== 0) return false;
      bytes[at++] = unit;
    }
    this.length = at;
    return true;
  }

  private addLongTextWithout({ sought, isIn }: CharacterSet, text: string): boolean {
    const { length } = this;
    if (!(sought instanceof RegExp)) {
      // A search for one character takes next to nothing.
      for (let at = 0; at < sought.length; at++) if (text.includes(sought[at] as string)) return false;
      this.addText(text);
      return true;
    }
    // Written first and looked through then: of bytes that takes a fraction of what a pattern takes of a text.
    this.addText(text);
    const { bytes } = this;
    const end = this.length;
    this.length = length;
    if (end - length > text.length && sought.test(text)) return false;
    for (let at = length; at < end; at++) if (isIn[bytes[at] as number] !== 0) return false;
    this.length = end;
    return true;
  }

  addBytes(given: Uint8Array): void {
    this.reserve(given.length);
    const { bytes } = this;
    let at = this.length;
    // They are few: a call of `set` takes longer.
    for (let index = 0; index < given.length; index++) bytes[at++] = given[index] as number;
    this.length = at;
  }

  addByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** As the language writes it. */
  addNumber(value: number): void {
    if ((value | 0) === value && value >= 0) this.addDigits(value, digitsOf(value));
    else this.addText(String(value));
  }

  /** A whole number from 0 to 2^31 - 1 with so many digits. */
  addDigits(value: number, digits: number): void {
    this.reserve(int32Digits);
    const { bytes } = this;
    const end = this.length + digits;
    let rest = value;
    for (let at = end - 1; at >= this.length; at--) {
      const tens = (rest / 10) | 0;
      bytes[at] = zero + rest - tens * 10;
      rest = tens;
    }
    this.length = end;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.bytes.length) this.grow(needed);
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

function digitsOf(value: number): number {
  if (value < 100_000) return value < 10 ? 1 : value < 100 ? 2 : value < 1_000 ? 3 : value < 10_000 ? 4 : 5;
  return value < 1e6 ? 6 : value < 1e7 ? 7 : value < 1e8 ? 8 : value < 1e9 ? 9 : 10;
}
