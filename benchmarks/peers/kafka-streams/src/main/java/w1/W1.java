package w1;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Benchmark W1 on Kafka Streams: the Processor API, one RocksDB value a user with its changelog, a commit every 100 ms.
 * It does no validation beyond parsing, which ours does. `ids`: how many event ids a user's state remembers, so that a
 * repeat is not counted; 0: none. `cache MB`: of the store's write cache; 0: no cache, which is this API's default.
 *   java -cp 'w1.jar:lib/*' w1.W1 <brokers> <topic> <events> <state folder> at_least_once|exactly_once_v2 <ids> <cache MB>
 */
public final class W1 {
  static final AtomicLong seen = new AtomicLong();
  static final AtomicLong firstNanos = new AtomicLong();
  static long wanted;
  static final CountDownLatch done = new CountDownLatch(1);
  static volatile long lastNanos;

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    wanted = Long.parseLong(args[2]);
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "w1-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[3]);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[4]);
    State.mostIds = Integer.parseInt(args[5]);
    long cacheBytes = Long.parseLong(args[6]) * 1024 * 1024;
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cacheBytes);
    config.put("auto.offset.reset", "earliest");
    config.put("max.poll.records", 2_000);

    Topology topology = new Topology();
    topology.addSource("events", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), topic);
    topology.addProcessor("features", Features::new, "events");
    var store = Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("features"), Serdes.String(), Serdes.ByteArray());
    topology.addStateStore(cacheBytes > 0 ? store.withCachingEnabled() : store.withCachingDisabled(), "features");

    try (KafkaStreams streams = new KafkaStreams(topology, config)) {
      streams.start();
      done.await();
      // The last events are committed with the next commit.
      Thread.sleep(150);
      double seconds = (lastNanos - firstNanos.get()) / 1e9;
      double cpu = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
      String digest = digestOf(streams);
      System.out.printf(
          "{\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"peakMemoryMb\":%d,\"digest\":\"%s\"}%n",
          seconds, cpu, peakMemoryMb(), digest);
    }
    System.exit(0);
  }

  static String digestOf(KafkaStreams streams) throws Exception {
    ReadOnlyKeyValueStore<String, byte[]> store =
        streams.store(StoreQueryParameters.fromNameAndType("features", QueryableStoreTypes.keyValueStore()));
    TreeMap<String, String> vectors = new TreeMap<>();
    State state = new State();
    try (KeyValueIterator<String, byte[]> all = store.all()) {
      all.forEachRemaining(entry -> {
        state.read(entry.value);
        vectors.put(entry.key, state.vector());
      });
    }
    MessageDigest hash = MessageDigest.getInstance("SHA-256");
    for (Map.Entry<String, String> entry : vectors.entrySet())
      hash.update((entry.getKey() + ":" + entry.getValue() + "\n").getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash.digest());
  }

  static long peakMemoryMb() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
    return 0;
  }

  static final class Features implements Processor<String, byte[], Void, Void> {
    private final JsonFactory json = new JsonFactory();
    private final State state = new State();
    private KeyValueStore<String, byte[]> store;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      store = context.getStateStore("features");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      firstNanos.compareAndSet(0, System.nanoTime());
      String user = null;
      String type = null;
      String id = null;
      long time = 0;
      double price = 0;
      try (JsonParser parser = json.createParser(record.value())) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          switch (name) {
            case "userId" -> user = parser.getText();
            case "id" -> id = parser.getText();
            case "type" -> type = parser.getText();
            case "time" -> time = parser.getLongValue();
            case "properties" -> {
              while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String property = parser.currentName();
                parser.nextToken();
                if (property.equals("price")) price = parser.getDoubleValue();
                else parser.skipChildren();
              }
            }
            default -> parser.skipChildren();
          }
        }
      } catch (IOException error) {
        throw new IllegalStateException(error);
      }
      state.read(store.get(user));
      if (state.isNew(id)) {
        state.add(time, type.equals("click"), type.equals("purchase"), (int) Math.round(price * 4));
        store.put(user, state.write());
      }
      if (seen.incrementAndGet() == wanted) {
        lastNanos = System.nanoTime();
        done.countDown();
      }
    }
  }
}
