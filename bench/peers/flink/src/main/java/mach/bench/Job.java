package mach.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.api.config.ExecutionConfigOptions;
import org.apache.flink.table.api.config.OptimizerConfigOptions;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.types.utils.DataTypeUtils;
import org.apache.flink.util.FileUtils;

/** A query in a local environment: the settings of the official benchmark, checkpoints every 10 s, object reuse. */
final class Job {
  private Job() {}

  static void run(Query query, Request request) throws Exception {
    Path checkpoints = Files.createTempDirectory("flink-peer");
    Path rows = Files.createTempDirectory("flink-peer-rows");
    try {
      StreamExecutionEnvironment environment =
          StreamExecutionEnvironment.createLocalEnvironment(request.parallelism(), settings(request, checkpoints));
      StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
      tables.getConfig().set("table.local-time-zone", "UTC");
      tables.getConfig().set(ExecutionConfigOptions.TABLE_EXEC_MINIBATCH_ENABLED, true);
      tables.getConfig().set(ExecutionConfigOptions.TABLE_EXEC_MINIBATCH_ALLOW_LATENCY, Duration.ofSeconds(2));
      tables.getConfig().set(ExecutionConfigOptions.TABLE_EXEC_MINIBATCH_SIZE, 50_000L);
      tables.getConfig().set(OptimizerConfigOptions.TABLE_OPTIMIZER_DISTINCT_AGG_SPLIT_ENABLED, true);
      tables.createTemporarySystemFunction("count_char", Tables.CountChar.class);
      for (String statement : query.tables(request)) tables.executeSql(statement);
      if (query.writesFiles()) {
        writeFiles(tables, query, rows);
        return;
      }
      var result = tables.sqlQuery(query.select());
      tables.createTemporaryTable(
          "answer",
          TableDescriptor.forConnector("rows")
              .schema(Schema.newBuilder().fromResolvedSchema(plain(result.getResolvedSchema())).build())
              .build());
      result.insertInto("answer").execute().await();
    } finally {
      // Flink may still be removing them itself.
      FileUtils.deleteDirectoryQuietly(checkpoints.toFile());
      FileUtils.deleteDirectoryQuietly(rows.toFile());
    }
  }

  /** The table is that of the official q10. */
  private static void writeFiles(StreamTableEnvironment tables, Query query, Path folder) throws Exception {
    tables.executeSql(
        "CREATE TEMPORARY TABLE files (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP_LTZ(3), extra STRING, "
            + "dt STRING, hm STRING) PARTITIONED BY (dt, hm) WITH ('connector' = 'filesystem', 'path' = '" + folder.toUri()
            + "', 'format' = 'csv', 'sink.partition-commit.trigger' = 'partition-time', 'sink.partition-commit.delay' = '1 min', "
            + "'sink.partition-commit.policy.kind' = 'success-file', "
            + "'partition.time-extractor.timestamp-pattern' = '$dt $hm:00', "
            + "'sink.partition-commit.watermark-time-zone' = 'UTC', "
            + "'sink.rolling-policy.rollover-interval' = '1min', 'sink.rolling-policy.check-interval' = '1min')");
    tables.executeSql("INSERT INTO files " + query.select()).await();
    Results.ended(RowFiles.of(folder));
  }

  private static Configuration settings(Request request, Path checkpoints) {
    Configuration settings = new Configuration();
    settings.set(StateBackendOptions.STATE_BACKEND, request.state().equals("rocksdb") ? "rocksdb" : "hashmap");
    settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(10));
    settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, checkpoints.toUri().toString());
    settings.set(PipelineOptions.OBJECT_REUSE, true);
    settings.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(128));
    settings.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
    settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(1024));
    settings.set(TaskManagerOptions.NUM_TASK_SLOTS, request.parallelism());
    settings.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    return settings;
  }

  /** Times without their part in the watermark, which a sink does not take over. */
  private static ResolvedSchema plain(ResolvedSchema schema) {
    return ResolvedSchema.physical(
        schema.getColumnNames(),
        schema.getColumnDataTypes().stream().map(DataTypeUtils::removeTimeAttribute).toList());
  }
}
