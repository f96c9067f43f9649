package mach.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.jet.config.JobConfig;
import com.hazelcast.jet.config.ProcessingGuarantee;
import com.hazelcast.jet.pipeline.Pipeline;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Takes requests, one JSON object a line, runs each as a job of one member in this process, and answers with one line. */
public final class JetMain {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SNAPSHOT_EVERY_MS = 10_000;
  private static final int THREADS = 2;

  private JetMain() {}

  public static void main(String[] args) throws Exception {
    PrintStream answers = System.out;
    // Whatever a library prints must not be taken for an answer.
    System.setOut(System.err);
    HazelcastInstance member = Hazelcast.newHazelcastInstance(config());
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      answers.println(JSON.writeValueAsString(answer(member, line)));
      answers.flush();
    }
    System.exit(0);
  }

  /** One member that nobody joins, on the loopback. */
  private static Config config() {
    Config config = new Config().setClusterName("mach-bench");
    config.getJetConfig().setEnabled(true).setCooperativeThreadCount(THREADS);
    config.getMetricsConfig().setEnabled(false);
    config.getNetworkConfig().setPublicAddress("127.0.0.1").getInterfaces().setEnabled(true).addInterface("127.0.0.1");
    JoinConfig join = config.getNetworkConfig().getJoin();
    join.getAutoDetectionConfig().setEnabled(false);
    join.getMulticastConfig().setEnabled(false);
    return config;
  }

  private static ObjectNode answer(HazelcastInstance member, String line) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      JsonNode request = JSON.readTree(line);
      if (!request.get("query").asText().equals("q5"))
        return answer.put("unsupported", "it is here for sliding windows, its best discipline: q5 alone");
      boolean keepsRows = request.hasNonNull("rows");
      Results.clear(keepsRows, 0);
      EventProcessor.Stream stream =
          new EventProcessor.Stream(
              request.get("events").asLong(),
              request.get("seed").asInt(),
              request.get("rate").asDouble(),
              request.get("disorder").asInt());
      run(member, HotAuctions.pipeline(stream, THREADS));
      answer.put("seconds", Results.seconds());
      answer.put("cpu_seconds", Results.processorSeconds());
      answer.put("rows", Results.count());
      if (keepsRows) writeRows(Path.of(request.get("rows").asText()));
    } catch (Throwable error) {
      error.printStackTrace();
      answer.put("error", String.valueOf(error));
    }
    return answer;
  }

  private static void run(HazelcastInstance member, Pipeline pipeline) {
    JobConfig config =
        new JobConfig()
            .setProcessingGuarantee(ProcessingGuarantee.EXACTLY_ONCE)
            .setSnapshotIntervalMillis(SNAPSHOT_EVERY_MS);
    member.getJet().newJob(pipeline, config).join();
  }

  private static void writeRows(Path file) throws Exception {
    List<String> lines = new ArrayList<>();
    Results.rows().forEach((text, times) -> lines.addAll(Collections.nCopies(times, text)));
    Collections.sort(lines);
    Files.write(file, lines);
  }
}
