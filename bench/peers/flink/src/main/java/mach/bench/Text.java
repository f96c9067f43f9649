package mach.bench;

import java.nio.charset.StandardCharsets;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** ASCII text as a stretch of bytes, which Flink's rows take without a copy. */
final class Text {
  static final Text EMPTY = of("");

  final int length;
  private final byte[] bytes;
  private final int offset;
  private StringData kept;

  Text(byte[] bytes, int offset, int length) {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
  }

  static Text of(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return new Text(bytes, 0, bytes.length);
  }

  StringData data() {
    if (kept == null) kept = BinaryStringData.fromBytes(bytes, offset, length);
    return kept;
  }

  @Override
  public String toString() {
    return new String(bytes, offset, length, StandardCharsets.US_ASCII);
  }
}
