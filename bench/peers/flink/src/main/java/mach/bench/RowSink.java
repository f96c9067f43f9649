package mach.bench;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.types.RowKind;

/** Counts the rows that hold; in a run that is checked it also writes each as the reference says: a JSON array. */
final class RowSink implements Sink<RowData> {
  private final List<LogicalType> types;

  RowSink(List<LogicalType> types) {
    this.types = types;
  }

  @Override
  public SinkWriter<RowData> createWriter(WriterInitContext context) {
    return new Writer(types.stream().map(RowSink::cell).toArray(Cell[]::new));
  }

  private interface Cell extends Serializable {
    String text(RowData row, int at);
  }

  private static final class Writer implements SinkWriter<RowData> {
    private final Cell[] cells;
    private final boolean keepsRows = Results.keepsRows();
    private final boolean isOfClock = Results.hasClockWindows();
    private long count;
    private boolean isEnded;

    Writer(Cell[] cells) {
      this.cells = cells;
    }

    @Override
    public void write(RowData row, Context context) {
      boolean holds = row.getRowKind() == RowKind.INSERT || row.getRowKind() == RowKind.UPDATE_AFTER;
      count += holds ? 1 : -1;
      if (isOfClock) Results.rowOfClock();
      if (keepsRows) Results.row(text(row), holds ? 1 : -1);
    }

    @Override
    public void flush(boolean endOfInput) {
      if (!endOfInput || isEnded) return;
      isEnded = true;
      Results.ended(count);
    }

    @Override
    public void close() {}

    private String text(RowData row) {
      StringBuilder line = new StringBuilder("[");
      for (int at = 0; at < cells.length; at++) {
        if (at > 0) line.append(',');
        line.append(row.isNullAt(at) ? "null" : cells[at].text(row, at));
      }
      return line.append(']').toString();
    }
  }

  private static Cell cell(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case INTEGER -> (row, at) -> Integer.toString(row.getInt(at));
      case BIGINT -> (row, at) -> Long.toString(row.getLong(at));
      case DOUBLE -> (row, at) -> rounded(BigDecimal.valueOf(row.getDouble(at)));
      case DECIMAL -> {
        int precision = org.apache.flink.table.types.logical.utils.LogicalTypeChecks.getPrecision(type);
        int scale = org.apache.flink.table.types.logical.utils.LogicalTypeChecks.getScale(type);
        yield (row, at) -> rounded(row.getDecimal(at, precision, scale).toBigDecimal());
      }
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          (row, at) -> Long.toString(row.getTimestamp(at, 3).getMillisecond());
      case CHAR, VARCHAR -> (row, at) -> quoted(row.getString(at).toString());
      default -> throw new IllegalArgumentException("no text for a column of type " + type);
    };
  }

  private static String rounded(BigDecimal value) {
    BigDecimal three = value.setScale(3, RoundingMode.HALF_UP).stripTrailingZeros();
    return three.toPlainString();
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
