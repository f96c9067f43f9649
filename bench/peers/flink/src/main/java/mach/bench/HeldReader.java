package mach.bench;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceReader;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.table.data.RowData;

/**
 * Keeps the input open after its last event until the windows of the clock have closed. Flink stops the timers of the clock where a bounded
 * input ends, and drops the windows that are open then (FLINK-14231); the time of waiting is not counted ({@link Results}).
 */
final class HeldReader implements SourceReader<RowData, EventSource.Split> {
  /** After it, the last event has surely come to its window. */
  private static final long IN_FLIGHT_MS = 2_000;
  /** Within it, a window that has closed has given its rows. */
  private static final long CLOSING_MS = 1_000;

  private final SourceReader<RowData, EventSource.Split> events;
  private final long windowMs;
  private CompletableFuture<Void> closed;

  HeldReader(SourceReaderContext context, long windowMs) {
    this.events = new IteratorSourceReader<>(context);
    this.windowMs = windowMs;
  }

  @Override
  public InputStatus pollNext(ReaderOutput<RowData> output) throws Exception {
    if (closed == null) {
      InputStatus status = events.pollNext(output);
      if (status != InputStatus.END_OF_INPUT) return status;
      Results.givenAll();
      long now = System.currentTimeMillis();
      long end = (now + IN_FLIGHT_MS) / windowMs * windowMs + windowMs;
      closed =
          CompletableFuture.runAsync(
              () -> {}, CompletableFuture.delayedExecutor(end + CLOSING_MS - now, TimeUnit.MILLISECONDS));
    }
    return closed.isDone() ? InputStatus.END_OF_INPUT : InputStatus.NOTHING_AVAILABLE;
  }

  @Override
  public CompletableFuture<Void> isAvailable() {
    return closed == null ? events.isAvailable() : closed;
  }

  @Override
  public void start() {
    events.start();
  }

  @Override
  public List<EventSource.Split> snapshotState(long checkpoint) {
    return events.snapshotState(checkpoint);
  }

  @Override
  public void addSplits(List<EventSource.Split> splits) {
    events.addSplits(splits);
  }

  @Override
  public void notifyNoMoreSplits() {
    events.notifyNoMoreSplits();
  }

  @Override
  public void close() throws Exception {
    events.close();
  }
}
