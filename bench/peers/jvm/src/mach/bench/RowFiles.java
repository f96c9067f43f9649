package mach.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Rows counted from the files that a query has written: `dt=DAY/hm=HH%3Amm/part-*`. */
record RowFiles(Map<String, Integer> byMinute, long writtenMillis) {

  static RowFiles of(Path folder) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    long written = 0;
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        if (Files.isDirectory(path)) {
          // A folder changes when the last of its files is moved to its name.
          written = Math.max(written, Files.getLastModifiedTime(path).toMillis());
        } else if (path.getFileName().toString().startsWith("part-")) {
          String minute = value(path.getParent()).replace("%3A", ":");
          counts.merge("[\"" + value(path.getParent().getParent()) + "\",\"" + minute + "\"", lines(path), Integer::sum);
        } else if (path.getFileName().toString().startsWith(".part-")) {
          throw new IOException("a file was left open: " + path);
        }
      }
    }
    return new RowFiles(counts, written);
  }

  /** Of a folder `name=value`. */
  private static String value(Path folder) {
    String name = folder.getFileName().toString();
    return name.substring(name.indexOf('=') + 1);
  }

  private static int lines(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      return (int) lines.count();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
