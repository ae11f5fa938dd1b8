import type { EachBatchPayload } from 'kafkajs';
import { type Logger, PresageError } from '../../../core/index.ts';
import type { LogRecord } from '../port.ts';
import { kafkaClient, unavailable } from './client.ts';
import type { KafkaConnection } from './options.ts';
import { recordsOf } from './raw-fetch.ts';

/** Records of one partition, in order. */
export interface ExternalBatch {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** Call it from time to time while the batch takes long. Rejects when the partition is somebody else's now. */
  alive(): Promise<void>;
}

export interface FollowOptions {
  /** Names the group: `<prefix>source.<name>`. */
  readonly name: string;
  readonly topic: string;
  /** Where a group without offsets begins. */
  readonly from: 'earliest' | 'latest';
  /** What the topic must have; null: whatever it has. */
  readonly partitions: number | null;
  readonly signal: AbortSignal;
  onReady(): void;
  /** So many offsets were gone before they were read. */
  onLost(partition: number, lost: number): void;
  /** When it resolves, the batch's offsets are committed: it will not be read again. */
  take(batch: ExternalBatch): Promise<void>;
}

/** Topics that are not ours, read with Kafka's own groups and offsets. */
export interface ExternalTopics {
  /** Until `signal` aborts. Throws PresageError `log_unavailable`, `source_missing`, `partitions_mismatch`. */
  follow(options: FollowOptions): Promise<void>;
}

export interface ExternalTopicsOptions {
  readonly connection: KafkaConnection;
  readonly prefix?: string;
  readonly logger: Logger;
  readonly sessionMs?: number;
}

const partitionsAtOnce = 8;
const disconnectWithinMs = 5_000;

export async function kafkaTopics(options: ExternalTopicsOptions): Promise<ExternalTopics> {
  const { kafka, where } = await kafkaClient(options.connection, options.logger);
  const sessionMs = options.sessionMs ?? 10_000;
  const groupOf = (name: string): string => `${options.prefix ?? 'presage.'}source.${name}`;

  /** Is the topic what is wanted, and does it still have what the group has not read? */
  async function check({ topic, partitions, name, onLost }: FollowOptions): Promise<void> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      if (!(await admin.listTopics()).includes(topic))
        throw new PresageError('source_missing', `Kafka at ${where} has no topic ${topic}.`, {
          retriable: true,
        });
      const ranges = await admin.fetchTopicOffsets(topic);
      const [read] = await admin.fetchOffsets({ groupId: groupOf(name), topics: [topic] });
      for (const { partition, offset } of read?.partitions ?? []) {
        const low = Number(ranges.find((range) => range.partition === partition)?.low ?? 0);
        // kafkajs would begin at the oldest without a word.
        if (Number(offset) >= 0 && Number(offset) < low) onLost(partition, low - Number(offset));
      }
      const found = ranges.length;
      if (partitions === null || found === partitions) return;
      throw new PresageError(
        'partitions_mismatch',
        `The source's topic ${topic} has ${found} partitions and the log ${partitions}: it can't be keyed as declared. Leave keyed out.`,
      );
    } catch (error) {
      throw error instanceof PresageError ? error : unavailable(where, `look at the topic ${topic}`, error);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  return {
    async follow(wanted) {
      const { name, topic, from, signal, onReady, onLost, take } = wanted;
      await check(wanted);
      const consumer = kafka.consumer({
        groupId: groupOf(name),
        sessionTimeout: sessionMs,
        rebalanceTimeout: sessionMs,
        heartbeatInterval: Math.min(3_000, Math.floor(sessionMs / 6)),
        maxWaitTimeInMs: 250,
        allowAutoTopicCreation: false,
        retry: {
          retries: 3,
          initialRetryTime: 100,
          maxRetryTime: 1_000,
          restartOnFailure: async () => false,
        },
      });
      /** By partition: the offset after the last one taken. */
      const nexts = new Map<number, number>();
      let end: () => void = () => {};
      const ended = new Promise<void>((resolve, reject) => {
        end = resolve;
        consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
        consumer.on(consumer.events.GROUP_JOIN, () => {
          nexts.clear();
          onReady();
        });
      });
      ended.catch(() => {});
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });

      async function onBatch({ batch, heartbeat, isRunning }: EachBatchPayload): Promise<void> {
        if (!isRunning()) return;
        const { partition } = batch;
        // Not in kafkajs' types: the offset that was asked for.
        const { fetchedOffset } = batch as typeof batch & { readonly fetchedOffset: string };
        const asked = Number(fetchedOffset);
        const records = recordsOf(batch.messages, asked);
        const lost = asked - (nexts.get(partition) ?? asked);
        if (lost > 0) onLost(partition, lost);
        if (records.length > 0) await take({ partition, records, alive: heartbeat });
        const next = Number(batch.lastOffset()) + 1;
        nexts.set(partition, next);
        await consumer.commitOffsets([{ topic, partition, offset: String(next) }]);
      }

      const work = async (): Promise<void> => {
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: from === 'earliest' });
        await consumer.run({
          autoCommit: false,
          partitionsConsumedConcurrently: partitionsAtOnce,
          eachBatch: onBatch,
        });
      };
      try {
        await Promise.race([ended, work().then(() => ended)]);
      } catch (error) {
        throw unavailable(where, `read the topic ${topic}`, error);
      } finally {
        signal.removeEventListener('abort', end);
        const leaving = consumer.disconnect().catch(() => {});
        let timer: NodeJS.Timeout | undefined;
        await Promise.race([
          leaving,
          new Promise((resolve) => {
            timer = setTimeout(resolve, disconnectWithinMs);
          }),
        ]);
        clearTimeout(timer);
      }
    },
  };
}
