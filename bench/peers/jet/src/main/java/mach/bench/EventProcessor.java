package mach.bench;

import com.hazelcast.jet.Traverser;
import com.hazelcast.jet.Traversers;
import com.hazelcast.jet.core.AbstractProcessor;
import com.hazelcast.jet.core.BroadcastKey;
import com.hazelcast.jet.core.EventTimeMapper;
import com.hazelcast.jet.core.EventTimePolicy;
import com.hazelcast.jet.core.Processor;
import java.io.Serializable;
import java.util.Map;

/** The bids of the stream as a source: each processor takes the positions that are its own in turn, and gives the auctions with their times. */
final class EventProcessor extends AbstractProcessor {

  record Stream(long events, int seed, double rate, int disorder) implements Serializable {}

  /** One partition: a processor has one part of the stream. */
  private static final int PARTITION = 0;

  private final Stream stream;
  private final EventTimeMapper<Long> mapper;
  private Generator generator;
  private int step;
  private long next;
  private Traverser<Object> given = Traversers.empty();
  private Traverser<Map.Entry<BroadcastKey<Integer>, long[]>> saved;

  EventProcessor(Stream stream, EventTimePolicy<? super Long> policy) {
    this.stream = stream;
    this.mapper = new EventTimeMapper<>(policy);
    mapper.addPartitions(1);
  }

  @Override
  protected void init(Processor.Context context) {
    generator = new Generator(stream.seed(), stream.rate(), stream.disorder(), false);
    step = context.totalParallelism();
    next = context.globalProcessorIndex();
    skip();
    Results.began();
  }

  @Override
  public boolean complete() {
    do {
      if (!emitFromTraverser(given)) return false;
      if (next >= stream.events()) return true;
      generator.read(next);
      next += step;
      skip();
      given = mapper.flatMapEvent(generator.auction, PARTITION, generator.time);
    } while (true);
  }

  private void skip() {
    while (next < stream.events() && Generator.kindOf(generator.numberAt(next)) != Generator.BID) next += step;
  }

  @Override
  public boolean saveToSnapshot() {
    if (!emitFromTraverser(given)) return false;
    given = Traversers.empty();
    if (saved == null) {
      int index = (int) (next % step);
      long[] state = {next, mapper.getWatermark(PARTITION)};
      saved = Traversers.singleton(Map.entry(BroadcastKey.broadcastKey(index), state));
    }
    if (!emitFromTraverserToSnapshot(saved)) return false;
    saved = null;
    return true;
  }

  @Override
  protected void restoreFromSnapshot(Object key, Object value) {
    int index = (Integer) ((BroadcastKey<?>) key).key();
    long[] state = (long[]) value;
    if (index != next % step) return;
    next = state[0];
    mapper.restoreWatermark(PARTITION, state[1]);
  }
}
