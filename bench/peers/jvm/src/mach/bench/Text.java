package mach.bench;

import java.nio.charset.StandardCharsets;

/** ASCII text as a stretch of bytes, which a peer may take without a copy. */
final class Text {
  static final Text EMPTY = of("");

  final int length;
  final byte[] bytes;
  final int offset;
  /** What the peer has made of it: texts come again. */
  Object made;

  Text(byte[] bytes, int offset, int length) {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
  }

  static Text of(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return new Text(bytes, 0, bytes.length);
  }

  @Override
  public String toString() {
    return new String(bytes, offset, length, StandardCharsets.US_ASCII);
  }
}
