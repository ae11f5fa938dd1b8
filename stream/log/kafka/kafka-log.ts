import { Registry } from 'prom-client';
import { PresageError } from '../../../core/index.ts';
import { checkRecords } from '../checks.ts';
import type { EventLog, LogRange } from '../port.ts';
import { SharedAdmin } from './admin.ts';
import { Appender } from './appender.ts';
import { kafkaClient } from './client.ts';
import { kafkaLogMetrics } from './metrics.ts';
import { defaultTimings, type KafkaLogOptions } from './options.ts';
import { KafkaSubscription } from './subscription.ts';
import { logTopic, openTopic } from './topic.ts';

export interface KafkaLog extends EventLog {
  /** Cluster and topic: positions are of this log and no other. */
  readonly identity: string;
}

/**
 * The log in a Kafka topic. Append times are the broker's. Throws PresageError `partitions_mismatch` or
 * `topic_unsuitable` when the topic exists and is not what was asked for, `log_unavailable` when no broker answers.
 */
export async function kafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { partitions, version, clock } = options;
  const prefix = options.prefix ?? 'presage.';
  const topic = logTopic(prefix, version);
  const timings = { ...defaultTimings, ...options.timings };
  const logger = options.logger.child({ log: 'kafka' });
  const metrics = kafkaLogMetrics(options.registry ?? new Registry());
  const client = await kafkaClient(options.connection, logger);
  const { kafka, where } = client;
  const admin = new SharedAdmin(kafka, where, timings.patienceMs, clock);
  const ranges = (): Promise<ReadonlyMap<number, LogRange>> =>
    admin.call('read the range of the log', async (connected) => {
      const offsets = await connected.fetchTopicOffsets(topic);
      return new Map(
        offsets.map(({ partition, low, high }) => [partition, { start: Number(low), end: Number(high) }]),
      );
    });
  let cluster: string;
  try {
    await admin.call('open the log', (connected) =>
      openTopic(connected, topic, partitions, options.topic ?? {}),
    );
    // A topic just made is known before its leaders take requests.
    await ranges();
    ({ clusterId: cluster } = await admin.call('ask for the cluster', (connected) =>
      connected.describeCluster(),
    ));
  } catch (error) {
    await admin.close();
    throw error;
  }
  const appender = new Appender({ kafka, where, topic, patienceMs: timings.patienceMs });
  const subscriptions = new Set<KafkaSubscription>();

  async function range(partition: number): Promise<LogRange> {
    const found = (await ranges()).get(partition);
    if (found === undefined) throw new PresageError('log_invalid', `The log has no partition ${partition}.`);
    return found;
  }

  return {
    partitions,
    identity: `kafka:${cluster}/${topic}`,
    async append(records) {
      checkRecords(records, partitions);
      return appender.append(records);
    },
    range,
    async subscribe(subscribed) {
      const subscription = new KafkaSubscription(
        {
          client,
          topic,
          groupId: `${prefix}${subscribed.group}.v${version}`,
          partitions,
          clock,
          logger,
          metrics,
          timings,
          ranges,
        },
        subscribed,
      );
      await subscription.begin();
      subscriptions.add(subscription);
      return {
        restart: (partition) => subscription.restart(partition),
        async stop() {
          subscriptions.delete(subscription);
          await subscription.stop();
        },
      };
    },
    async trim(partition, offset) {
      const { start, end } = await range(partition);
      if (offset <= start) return;
      await admin.call(`trim partition ${partition} of the log`, (connected) =>
        connected.deleteTopicRecords({
          topic,
          partitions: [{ partition, offset: String(Math.min(offset, end)) }],
        }),
      );
    },
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()));
      await appender.close();
      await admin.close();
    },
  };
}
