package mach.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.SinkV2Provider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.functions.LookupFunction;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.logical.LogicalType;

/** The three tables of the bench: the events, the rows of the answer, and the side input of q13. */
public final class Tables {
  private static final ConfigOption<Long> EVENTS = ConfigOptions.key("events").longType().noDefaultValue();
  private static final ConfigOption<Integer> SEED = ConfigOptions.key("seed").intType().noDefaultValue();
  private static final ConfigOption<Double> RATE = ConfigOptions.key("rate").doubleType().noDefaultValue();
  private static final ConfigOption<Integer> DISORDER = ConfigOptions.key("disorder").intType().noDefaultValue();
  private static final ConfigOption<String> KINDS = ConfigOptions.key("kinds").stringType().noDefaultValue();
  private static final ConfigOption<Long> CLOCK_WINDOW_MS = ConfigOptions.key("clock-window-ms").longType().defaultValue(0L);
  private static final ConfigOption<String> COLUMNS = ConfigOptions.key("columns").stringType().noDefaultValue();

  private Tables() {}

  public static final class EventsFactory implements DynamicTableSourceFactory {
    @Override
    public String factoryIdentifier() {
      return "nexmark";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
      return Set.of(EVENTS, SEED, RATE, DISORDER, KINDS, COLUMNS);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
      return Set.of(CLOCK_WINDOW_MS);
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
      ReadableConfig options = org.apache.flink.configuration.Configuration.fromMap(context.getCatalogTable().getOptions());
      boolean[] kinds = new boolean[3];
      for (String kind : options.get(KINDS).split(",")) kinds[Column.kindOf(kind)] = true;
      List<Column> columns = new ArrayList<>();
      for (String name : options.get(COLUMNS).split(",")) columns.add(Column.named(name));
      EventSource.Stream stream =
          new EventSource.Stream(options.get(EVENTS), options.get(SEED), options.get(RATE), options.get(DISORDER));
      return new Events(new EventSource(stream, kinds, columns, options.get(CLOCK_WINDOW_MS)));
    }
  }

  private record Events(EventSource source) implements ScanTableSource {
    @Override
    public ChangelogMode getChangelogMode() {
      return ChangelogMode.insertOnly();
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
      return SourceProvider.of(source);
    }

    @Override
    public DynamicTableSource copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return "events";
    }
  }

  public static final class RowsFactory implements DynamicTableSinkFactory {
    @Override
    public String factoryIdentifier() {
      return "rows";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
      return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
      return Set.of();
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
      return new Rows(context.getCatalogTable().getResolvedSchema().toPhysicalRowDataType().getLogicalType().getChildren());
    }
  }

  private record Rows(List<LogicalType> types) implements DynamicTableSink {
    @Override
    public ChangelogMode getChangelogMode(ChangelogMode requested) {
      return ChangelogMode.all();
    }

    @Override
    public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
      return SinkV2Provider.of(new RowSink(new ArrayList<>(types)));
    }

    @Override
    public DynamicTableSink copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return "rows";
    }
  }

  public static final class SideInputFactory implements DynamicTableSourceFactory {
    @Override
    public String factoryIdentifier() {
      return "side-input";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
      return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
      return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
      return new SideInput();
    }
  }

  private record SideInput() implements LookupTableSource {
    @Override
    public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
      return LookupFunctionProvider.of(new SideInputLines());
    }

    @Override
    public DynamicTableSource copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return "lines i,i";
    }
  }

  public static final class SideInputLines extends LookupFunction {
    private transient RowData[] lines;

    @Override
    public void open(org.apache.flink.table.functions.FunctionContext context) {
      lines = new RowData[10000];
      for (int key = 0; key < lines.length; key++) {
        lines[key] = GenericRowData.of((long) key, StringData.fromString(Integer.toString(key)));
      }
    }

    @Override
    public Collection<RowData> lookup(RowData key) {
      return List.of(lines[(int) key.getLong(0)]);
    }
  }

  /** How often a letter stands in a text. */
  public static final class CountChar extends ScalarFunction {
    public Long eval(String text, String letter) {
      char wanted = letter.charAt(0);
      long count = 0;
      for (int at = 0; at < text.length(); at++) if (text.charAt(at) == wanted) count++;
      return count;
    }
  }
}
