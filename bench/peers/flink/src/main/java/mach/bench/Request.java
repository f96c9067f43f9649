package mach.bench;

import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** One line that the bench writes to the process. */
record Request(
    String query, long events, int seed, double rate, int disorder, String rows, String state, int parallelism) {

  static Request of(JsonNode line) {
    return new Request(
        line.get("query").asText(),
        line.get("events").asLong(),
        line.get("seed").asInt(),
        line.get("rate").asDouble(),
        line.get("disorder").asInt(),
        line.hasNonNull("rows") ? line.get("rows").asText() : null,
        line.hasNonNull("state") ? line.get("state").asText() : "heap",
        line.hasNonNull("parallelism") ? line.get("parallelism").asInt() : 2);
  }
}
