package mach.bench;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** What the run under way gives out; there is one at a time in the process. */
final class Results {
  private static final AtomicLong COUNT = new AtomicLong();
  private static final AtomicLong BEGAN = new AtomicLong();
  private static final AtomicLong ENDED = new AtomicLong();
  private static volatile Map<String, Integer> rows;

  private Results() {}

  static void clear(boolean keepsRows) {
    COUNT.set(0);
    BEGAN.set(0);
    ENDED.set(0);
    rows = keepsRows ? new ConcurrentHashMap<>() : null;
  }

  /** The first event of a subtask is about to be made. */
  static void began() {
    BEGAN.compareAndSet(0, System.nanoTime());
  }

  /** A writer of the sink has seen its last row. */
  static void ended(long counted) {
    COUNT.addAndGet(counted);
    ENDED.accumulateAndGet(System.nanoTime(), Math::max);
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

  static double seconds() {
    return (ENDED.get() - BEGAN.get()) / 1e9;
  }
}
