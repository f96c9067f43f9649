package mach.bench;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the run under way gives out; there is one at a time in the process. Its time ends with the last row. Where windows of the clock must close first, the
 * wait for them is left out: its time is that of the events, and then that from the end of the last window to its last row.
 */
final class Results {
  private static final AtomicLong COUNT = new AtomicLong();
  private static final AtomicLong BEGAN = new AtomicLong();
  private static final AtomicLong ENDED = new AtomicLong();
  private static final AtomicLong PROCESSOR_BEGAN = new AtomicLong();
  private static final AtomicLong PROCESSOR_ENDED = new AtomicLong();
  private static final AtomicLong GIVEN = new AtomicLong();
  private static final AtomicLong LAST_ROW_MS = new AtomicLong();
  private static volatile long clockWindowMs;
  private static volatile Map<String, Integer> rows;

  private Results() {}

  static void clear(boolean keepsRows, long windowMs) {
    GIVEN.set(0);
    LAST_ROW_MS.set(0);
    clockWindowMs = windowMs;
    COUNT.set(0);
    BEGAN.set(0);
    ENDED.set(0);
    PROCESSOR_BEGAN.set(0);
    PROCESSOR_ENDED.set(0);
    rows = keepsRows ? new ConcurrentHashMap<>() : null;
  }

  /** The first event of a subtask is about to be made. */
  static void began() {
    if (BEGAN.compareAndSet(0, System.nanoTime())) PROCESSOR_BEGAN.set(processorNanos());
  }

  /** A writer of the sink has seen its last row. */
  static void ended(long counted) {
    COUNT.addAndGet(counted);
    ENDED.accumulateAndGet(System.nanoTime(), Math::max);
    PROCESSOR_ENDED.accumulateAndGet(processorNanos(), Math::max);
  }

  /** They lie in files, and the last of these was ready at this time of the clock. */
  static void ended(RowFiles files) {
    long sinceMs = System.currentTimeMillis() - files.writtenMillis();
    ENDED.set(System.nanoTime() - sinceMs * 1_000_000);
    PROCESSOR_ENDED.set(processorNanos());
    files.byMinute().forEach((minute, count) -> row(minute + "," + count + "]"));
  }

  /** A subtask has made its last event. */
  static void givenAll() {
    GIVEN.accumulateAndGet(System.nanoTime(), Math::max);
  }

  private static void row(String text) {
    COUNT.incrementAndGet();
    if (keepsRows()) row(text, 1);
  }

  static boolean hasClockWindows() {
    return clockWindowMs > 0;
  }

  /** A row of a window of the clock is written. */
  static void rowOfClock() {
    LAST_ROW_MS.accumulateAndGet(System.currentTimeMillis(), Math::max);
  }

  static boolean keepsRows() {
    return rows != null;
  }

  /** `change`: 1 for a row that holds from now on, -1 for one that no longer does. */
  static void row(String text, int change) {
    rows.merge(text, change, (before, more) -> before + more == 0 ? null : before + more);
  }

  static Map<String, Integer> rows() {
    return rows;
  }

  static long count() {
    return COUNT.get();
  }

  /** Of the whole process, from the first event to the last row, as its time. */
  static double processorSeconds() {
    return (PROCESSOR_ENDED.get() - PROCESSOR_BEGAN.get()) / 1e9;
  }

  private static long processorNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  static double seconds() {
    if (!hasClockWindows()) return (ENDED.get() - BEGAN.get()) / 1e9;
    return (GIVEN.get() - BEGAN.get()) / 1e9 + LAST_ROW_MS.get() % clockWindowMs / 1e3;
  }
}
