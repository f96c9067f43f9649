package mach.bench;

import java.io.Serializable;
import java.util.Map;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** A column of the table of events: what of which kind. A row has the columns that its query names, and null in those of other kinds. */
final class Column implements Serializable {
  private interface Read extends Serializable {
    Object of(Generator event);
  }

  private static final Map<String, Read> ANY =
      Map.of(
          "kind", event -> event.kind,
          "position", event -> event.position,
          "dateTime", event -> TimestampData.fromEpochMillis(event.time));
  private static final Map<String, Read> PERSON =
      Map.of(
          "id", event -> event.id,
          "name", event -> data(event.name),
          "emailAddress", event -> data(event.email),
          "creditCard", event -> data(event.card),
          "city", event -> data(event.city),
          "state", event -> data(event.usState),
          "extra", event -> data(event.extra));
  private static final Map<String, Read> AUCTION =
      Map.of(
          "id", event -> event.id,
          "itemName", event -> data(event.itemName),
          "description", event -> data(event.description),
          "initialBid", event -> event.initialBid,
          "reserve", event -> event.reserve,
          "expires", event -> TimestampData.fromEpochMillis(event.expires),
          "seller", event -> event.seller,
          "category", event -> event.category,
          "extra", event -> data(event.extra));
  private static final Map<String, Read> BID =
      Map.of(
          "auction", event -> event.auction,
          "bidder", event -> event.bidder,
          "price", event -> event.price,
          "channel", event -> data(event.channel),
          "url", event -> data(event.url),
          "extra", event -> data(event.extra));
  private static final Map<String, Integer> KINDS =
      Map.of("person", Generator.PERSON, "auction", Generator.AUCTION, "bid", Generator.BID);

  final String type;
  /** It is text, or drawn after text. */
  final boolean needsText;
  /** Which kind it is of; -1: every. */
  private final int kind;
  private final Read read;

  private Column(int kind, String name, Read read) {
    this.kind = kind;
    this.read = read;
    boolean isText =
        switch (name) {
          case "name", "emailAddress", "creditCard", "city", "state", "extra", "itemName", "description", "channel", "url" -> true;
          default -> false;
        };
    this.needsText = isText || name.equals("reserve");
    this.type =
        switch (name) {
          case "kind" -> "INT";
          case "dateTime", "expires" -> "TIMESTAMP_LTZ(3)";
          default -> isText ? "STRING" : "BIGINT";
        };
    if (read == null) throw new IllegalArgumentException("no event has a column " + name);
  }

  /** Without a copy. */
  private static Object data(Text text) {
    if (text.made == null) text.made = BinaryStringData.fromBytes(text.bytes, text.offset, text.length);
    return text.made;
  }

  static int kindOf(String name) {
    return KINDS.get(name);
  }

  /** `bid_price`, or `dateTime`. */
  static Column named(String name) {
    int at = name.indexOf('_');
    if (at < 0) return new Column(-1, name, ANY.get(name));
    String kind = name.substring(0, at);
    String own = name.substring(at + 1);
    Map<String, Read> reads = kind.equals("bid") ? BID : kind.equals("auction") ? AUCTION : PERSON;
    return new Column(kindOf(kind), own, reads.get(own));
  }

  static RowData row(Column[] columns, Generator event) {
    GenericRowData row = new GenericRowData(columns.length);
    for (int at = 0; at < columns.length; at++) {
      Column column = columns[at];
      if (column.kind < 0 || column.kind == event.kind) row.setField(at, column.read.of(event));
    }
    return row;
  }
}
