package mach.bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** Takes requests, one JSON object a line, runs each, and answers with one line. `--events N SEED RATE DISORDER` prints the events. */
public final class Main {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Main() {}

  public static void main(String[] args) throws Exception {
    if (args.length > 0 && args[0].equals("--events")) {
      EventLines.print(args);
      return;
    }
    PrintStream answers = System.out;
    // Whatever a library prints must not be taken for an answer.
    System.setOut(System.err);
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      answers.println(JSON.writeValueAsString(answer(line)));
      answers.flush();
    }
    System.exit(0);
  }

  private static ObjectNode answer(String line) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      Request request = Request.of(JSON.readTree(line));
      Query query = Query.named(request.query());
      if (query == null) return answer.put("unsupported", "no query of this name");
      Results.clear(request.rows() != null, query.clockWindowMs());
      Job.run(query, request);
      answer.put("seconds", Results.seconds());
      answer.put("cpu_seconds", Results.processorSeconds());
      answer.put("rows", Results.count());
      if (request.rows() != null) writeRows(Path.of(request.rows()), query);
    } catch (Throwable error) {
      error.printStackTrace();
      answer.put("error", String.valueOf(error));
    }
    return answer;
  }

  private static void writeRows(Path file, Query query) throws Exception {
    List<String> lines = new ArrayList<>();
    Results.rows().forEach((text, times) -> lines.addAll(Collections.nCopies(times, text)));
    List<String> compared = query.hasClockWindows() ? totalsOf(lines) : lines;
    Collections.sort(compared);
    Files.write(file, compared);
  }

  /** Rows that differ in their last cell alone, put together with its sum. */
  private static List<String> totalsOf(List<String> lines) {
    Map<String, Long> totals = new HashMap<>();
    for (String line : lines) {
      int at = line.lastIndexOf(',') + 1;
      totals.merge(line.substring(0, at), Long.parseLong(line.substring(at, line.length() - 1)), Long::sum);
    }
    List<String> rows = new ArrayList<>();
    totals.forEach((rest, sum) -> rows.add(rest + sum + "]"));
    return rows;
  }
}
