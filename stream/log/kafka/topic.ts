import type { Admin, ITopicConfig } from 'kafkajs';
import { PresageError } from '../../../core/index.ts';
import { maxRecordBytes } from '../checks.ts';
import type { TopicSettings } from './options.ts';

/** A batch of one record of the largest size, with its key and Kafka's own bytes. */
const mostBatchBytes = 2 * maxRecordBytes;
const week = 7 * 24 * 3_600_000;
/** ConfigResourceTypes.TOPIC of kafkajs, which must not be loaded from here: raw-fetch.ts comes first. */
const topicResource = 2;

const wanted: readonly (readonly [name: string, isRight: (value: string) => boolean, need: string])[] = [
  [
    'message.timestamp.type',
    (value) => value === 'LogAppendTime',
    'message.timestamp.type=LogAppendTime (event times are held against when the broker got them)',
  ],
  ['cleanup.policy', (value) => value === 'delete', 'cleanup.policy=delete (compaction would lose events)'],
  [
    'max.message.bytes',
    (value) => Number(value) >= mostBatchBytes,
    `max.message.bytes=${mostBatchBytes} or more`,
  ],
];

export const logTopic = (prefix: string, version: number): string => `${prefix}events.v${version}`;
/** Whether a topic is of the log, in whichever version. */
export const isLogTopic = (topic: string, prefix: string): boolean =>
  topic.startsWith(prefix) && /^events\.v\d+$/.test(topic.slice(prefix.length));

/**
 * Creates the topic of the log where it is missing, else checks that it is what the log needs. Throws PresageError
 * `partitions_mismatch`, or `topic_unsuitable` with every setting to change.
 */
export async function openTopic(
  admin: Admin,
  topic: string,
  partitions: number,
  settings: TopicSettings,
): Promise<void> {
  if (!(await admin.listTopics()).includes(topic)) {
    const isNew = await admin.createTopics({ topics: [description(topic, partitions, settings)] });
    if (isNew) return;
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const found = topics[0]?.partitions.length ?? 0;
  if (found !== partitions)
    throw new PresageError(
      'partitions_mismatch',
      `The topic ${topic} has ${found} partitions, but ${partitions} were asked for. Start with ${found} partitions, or begin another log version.`,
    );
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: topicResource, name: topic, configNames: wanted.map(([name]) => name) }],
  });
  const values = new Map(
    resources.flatMap(({ configEntries }) =>
      configEntries.map(({ configName, configValue }) => [configName, configValue] as const),
    ),
  );
  const wrong = wanted.filter(([name, isRight]) => !isRight(values.get(name) ?? ''));
  if (wrong.length === 0) return;
  throw new PresageError(
    'topic_unsuitable',
    `The topic ${topic} can't hold the log as it is set. It needs ${wrong.map(([, , need]) => need).join(', ')}.`,
  );
}

function description(topic: string, numPartitions: number, settings: TopicSettings): ITopicConfig {
  const { replicationFactor, retentionMs = week, retentionBytes } = settings;
  const entries: Record<string, string | number> = {
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
    'max.message.bytes': mostBatchBytes,
    'retention.ms': retentionMs,
    ...(retentionBytes === undefined ? {} : { 'retention.bytes': retentionBytes }),
    // One copy may be away without stopping the log, and no acknowledged record stands on one machine only.
    ...(replicationFactor !== undefined && replicationFactor >= 3 ? { 'min.insync.replicas': 2 } : {}),
  };
  return {
    topic,
    numPartitions,
    replicationFactor: replicationFactor ?? -1,
    configEntries: Object.entries(entries).map(([name, value]) => ({ name, value: String(value) })),
  };
}
