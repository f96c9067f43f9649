/** Text as UTF-8 that grows by short parts. A long text of the language is a tree of its parts until it is written, and costs the collector more than the parts. */
const beginBytes = 64 * 1_024;
/** Of one UTF-16 unit, at most. */
const unitBytesMax = 3;

export class TextBuffer {
  private buffer = Buffer.allocUnsafe(beginBytes);
  private length = 0;

  add(text: string): void {
    const needed = this.length + text.length * unitBytesMax;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    this.length += this.buffer.write(text, this.length);
  }

  /** All that was added; nothing may be added after. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
