/** A growing buffer of little-endian values, as ClickHouse's binary formats are made of. */
const shortTextLengthMax = 48;

export class ByteWriter {
  private bytes: Buffer;
  private view: DataView;
  private length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(64, capacity));
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** What was written. The writer must not be used afterwards. */
  finish(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value, true);
    this.length += 2;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** A safe integer; negative ones in two's complement. */
  int64(value: number): void {
    this.words64(value >>> 0, Math.floor(value / 0x1_0000_0000));
  }

  /** A 64 bit integer in two halves, for those beyond the safe integers. */
  words64(low: number, high: number): void {
    this.reserve(8);
    this.view.setUint32(this.length, low, true);
    this.view.setInt32(this.length + 4, high, true);
    this.length += 8;
  }

  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** A length in LEB128. */
  size(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** UTF-8 with its length before it. Short ASCII, most of what comes, is copied here: a call into Node costs more. */
  text(value: string): void {
    const { length } = value;
    this.reserve(3 * length + 5);
    if (length <= shortTextLengthMax && this.ascii(value)) return;
    this.size(Buffer.byteLength(value));
    this.length += this.bytes.write(value, this.length, 'utf8');
  }

  private ascii(value: string): boolean {
    const { length } = value;
    const { bytes } = this;
    const start = this.length + 1;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    bytes[this.length] = length;
    this.length = start + length;
    return true;
  }

  private reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    this.view = new DataView(larger.buffer, larger.byteOffset, larger.byteLength);
  }
}
