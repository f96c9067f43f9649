package mach.bench;

import com.hazelcast.function.ComparatorEx;
import com.hazelcast.jet.aggregate.AggregateOperation;
import com.hazelcast.jet.aggregate.AggregateOperation1;
import com.hazelcast.jet.aggregate.AggregateOperations;
import com.hazelcast.jet.core.ProcessorMetaSupplier;
import com.hazelcast.jet.core.ProcessorSupplier;
import com.hazelcast.jet.datamodel.KeyedWindowResult;
import com.hazelcast.jet.datamodel.WindowResult;
import com.hazelcast.jet.pipeline.Pipeline;
import com.hazelcast.jet.pipeline.Sink;
import com.hazelcast.jet.pipeline.SinkBuilder;
import com.hazelcast.jet.pipeline.Sources;
import com.hazelcast.jet.pipeline.WindowDefinition;
import java.util.ArrayList;
import java.util.List;

/** q5: the auctions with the most bids of the last 10 s, every 2 s; all of them where several have as many. */
final class HotAuctions {
  private static final long WINDOW_MS = 10_000;
  private static final long EVERY_MS = 2_000;
  private static final long DISORDER_MS = 4_000;

  private HotAuctions() {}

  static Pipeline pipeline(EventProcessor.Stream stream, int parallelism) {
    Pipeline pipeline = Pipeline.create();
    pipeline
        .readFrom(
            Sources.<Long>streamFromProcessorWithWatermarks(
                "bids",
                true,
                policy ->
                    ProcessorMetaSupplier.of(
                        parallelism, ProcessorSupplier.of(() -> new EventProcessor(stream, policy)))))
        .withNativeTimestamps(DISORDER_MS)
        .groupingKey(auction -> auction)
        .window(WindowDefinition.sliding(WINDOW_MS, EVERY_MS))
        .aggregate(AggregateOperations.counting())
        .setLocalParallelism(parallelism)
        // The counts of one window have its end as their time.
        .window(WindowDefinition.tumbling(EVERY_MS))
        .aggregate(greatest())
        .writeTo(rows());
    return pipeline;
  }

  /** All that nobody else surpasses. */
  private static AggregateOperation1<
          KeyedWindowResult<Long, Long>, ArrayList<KeyedWindowResult<Long, Long>>, List<KeyedWindowResult<Long, Long>>>
      greatest() {
    return AggregateOperation.withCreate(ArrayList<KeyedWindowResult<Long, Long>>::new)
        .andAccumulate(HotAuctions::take)
        .andCombine((all, others) -> others.forEach(one -> take(all, one)))
        .andExportFinish(all -> (List<KeyedWindowResult<Long, Long>>) new ArrayList<>(all));
  }

  private static void take(ArrayList<KeyedWindowResult<Long, Long>> all, KeyedWindowResult<Long, Long> one) {
    int order = all.isEmpty() ? 0 : ComparatorEx.<Long>naturalOrder().compare(one.result(), all.get(0).result());
    if (order < 0) return;
    if (order > 0) all.clear();
    all.add(one);
  }

  /** Counts the rows; in a run that is checked it also writes each as the reference says: a JSON array. */
  private static Sink<WindowResult<List<KeyedWindowResult<Long, Long>>>> rows() {
    return SinkBuilder.sinkBuilder("rows", context -> Results.keepsRows())
        .<WindowResult<List<KeyedWindowResult<Long, Long>>>>receiveFn(
            (keepsRows, window) -> {
              for (KeyedWindowResult<Long, Long> row : window.result()) {
                if (keepsRows) Results.row("[" + row.start() + "," + row.key() + "," + row.result() + "]", 1);
              }
              Results.ended(window.result().size());
            })
        .preferredLocalParallelism(1)
        .build();
  }
}
