package mach.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A query of `resources/queries`. Its first lines say what it reads (`-- bid auction price dateTime`), each kind one line; the rest is the
 * SELECT. Where it reads several kinds there is one source of all of them, with a view for each, as in the official benchmark.
 * `-- to files`: its rows go to files by day and minute. `-- clock-window-ms N`: it has windows of the clock of that length.
 */
final class Query {
  private final Map<String, List<String>> reads = new LinkedHashMap<>();
  private final String select;
  private boolean writesFiles = false;
  private long clockWindowMs = 0;

  private Query(String text) {
    StringBuilder rest = new StringBuilder();
    for (String line : text.split("\n")) {
      if (line.startsWith("-- ")) {
        List<String> words = List.of(line.substring(3).trim().split(" +"));
        switch (words.get(0)) {
          case "to" -> writesFiles = words.get(1).equals("files");
          case "clock-window-ms" -> clockWindowMs = Long.parseLong(words.get(1));
          default -> reads.put(words.get(0), words.subList(1, words.size()));
        }
      } else {
        rest.append(line).append('\n');
      }
    }
    select = rest.toString().trim();
  }

  static Query named(String name) throws IOException {
    try (InputStream file = Query.class.getResourceAsStream("/queries/" + name + ".sql")) {
      return file == null ? null : new Query(new String(file.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  /** Statements that come before the SELECT. */
  List<String> tables(Request request) {
    List<String> names = new ArrayList<>(List.of("kind", "position", "dateTime"));
    reads.forEach((kind, columns) -> columns.forEach(column -> names.add(kind + "_" + column)));
    String columns = names.stream().map(name -> "`" + name + "` " + Column.named(name).type).collect(Collectors.joining(", "));
    List<String> statements = new ArrayList<>();
    statements.add(
        "CREATE TEMPORARY TABLE events (" + columns + ", procTime AS PROCTIME(), "
            + "WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND) WITH ("
            + "'connector' = 'nexmark', 'events' = '" + request.events() + "', 'seed' = '" + request.seed()
            + "', 'rate' = '" + request.rate() + "', 'disorder' = '" + request.disorder()
            + "', 'clock-window-ms' = '" + clockWindowMs
            + "', 'kinds' = '" + String.join(",", reads.keySet()) + "', 'columns' = '" + String.join(",", names) + "')");
    reads.forEach(
        (kind, own) -> {
          String list = own.stream().map(name -> "`" + kind + "_" + name + "` AS `" + name + "`, ").collect(Collectors.joining());
          String where = reads.size() == 1 ? "" : " WHERE kind = " + Column.kindOf(kind);
          statements.add(
              "CREATE TEMPORARY VIEW " + kind + " AS SELECT " + list + "`position`, `dateTime`, procTime FROM events" + where);
        });
    statements.add("CREATE TEMPORARY TABLE side_input (`key` BIGINT, `value` STRING) WITH ('connector' = 'side-input')");
    return statements;
  }

  boolean writesFiles() {
    return writesFiles;
  }

  /** Its rows hang on the clock, and are compared by their totals. */
  boolean hasClockWindows() {
    return clockWindowMs > 0;
  }

  long clockWindowMs() {
    return clockWindowMs;
  }

  String select() {
    return select;
  }
}
