package mach.bench;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceEnumerator;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceReader;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.InstantiationUtil;

/** The stream as a source: one split for each subtask, which takes the positions that are its own in turn. */
final class EventSource
    implements Source<RowData, EventSource.Split, Collection<EventSource.Split>> {

  record Stream(long events, int seed, double rate, int disorder) implements Serializable {}

  private final Stream stream;
  private final boolean[] kinds;
  private final List<Column> columns;
  /** Of the windows of the clock that must close before the input ends; 0: there are none. */
  private final long clockWindowMs;

  EventSource(Stream stream, boolean[] kinds, List<Column> columns, long clockWindowMs) {
    this.stream = stream;
    this.kinds = kinds;
    this.columns = columns;
    this.clockWindowMs = clockWindowMs;
  }

  @Override
  public Boundedness getBoundedness() {
    return Boundedness.BOUNDED;
  }

  @Override
  public SourceReader<RowData, Split> createReader(SourceReaderContext context) {
    return clockWindowMs > 0 ? new HeldReader(context, clockWindowMs) : new IteratorSourceReader<>(context);
  }

  @Override
  public SplitEnumerator<Split, Collection<Split>> createEnumerator(SplitEnumeratorContext<Split> context) {
    int splits = context.currentParallelism();
    List<Split> all = new ArrayList<>();
    for (int index = 0; index < splits; index++) all.add(new Split(this, index, splits, index));
    return new IteratorSourceEnumerator<>(context, all);
  }

  @Override
  public SplitEnumerator<Split, Collection<Split>> restoreEnumerator(
      SplitEnumeratorContext<Split> context, Collection<Split> rest) {
    return new IteratorSourceEnumerator<>(context, rest);
  }

  @Override
  public SimpleVersionedSerializer<Split> getSplitSerializer() {
    return new JavaSerializer<>();
  }

  @Override
  public SimpleVersionedSerializer<Collection<Split>> getEnumeratorCheckpointSerializer() {
    return new JavaSerializer<>();
  }

  static final class Split implements IteratorSourceSplit<RowData, Rows>, Serializable {
    private final EventSource source;
    private final int index;
    private final int splits;
    private final long next;

    Split(EventSource source, int index, int splits, long next) {
      this.source = source;
      this.index = index;
      this.splits = splits;
      this.next = next;
    }

    @Override
    public String splitId() {
      return Integer.toString(index);
    }

    @Override
    public Rows getIterator() {
      return new Rows(source, splits, next);
    }

    @Override
    public IteratorSourceSplit<RowData, Rows> getUpdatedSplitForIterator(Rows rows) {
      return new Split(source, index, splits, rows.next);
    }
  }

  static final class Rows implements Iterator<RowData> {
    private final Generator generator;
    private final Column[] columns;
    private final boolean[] kinds;
    private final long events;
    private final int step;
    private long next;

    Rows(EventSource source, int step, long next) {
      Stream stream = source.stream;
      boolean wantsText = source.columns.stream().anyMatch(column -> column.needsText);
      this.generator = new Generator(stream.seed, stream.rate, stream.disorder, wantsText);
      this.columns = source.columns.toArray(new Column[0]);
      this.kinds = source.kinds;
      this.events = stream.events;
      this.step = step;
      this.next = next;
      skip();
      Results.began();
    }

    @Override
    public boolean hasNext() {
      return next < events;
    }

    @Override
    public RowData next() {
      if (next >= events) throw new NoSuchElementException();
      generator.read(next);
      next += step;
      skip();
      return Column.row(columns, generator);
    }

    private void skip() {
      while (next < events && !kinds[Generator.kindOf(generator.numberAt(next))]) next += step;
    }
  }

  private static final class JavaSerializer<T> implements SimpleVersionedSerializer<T> {
    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(T value) throws java.io.IOException {
      return InstantiationUtil.serializeObject(value);
    }

    @Override
    public T deserialize(int version, byte[] bytes) throws java.io.IOException {
      try {
        return InstantiationUtil.deserializeObject(bytes, EventSource.class.getClassLoader());
      } catch (ClassNotFoundException error) {
        throw new java.io.IOException(error);
      }
    }
  }
}
