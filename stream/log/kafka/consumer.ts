import { setTimeout as wait } from 'node:timers/promises';
import type { Batch, Consumer, EachBatchPayload, PartitionAssigner } from 'kafkajs';
import type { KafkaClient } from './client.ts';
import type { KafkaTimings } from './options.ts';

export interface ConsumerParts {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly groupId: string;
  readonly assigner: PartitionAssigner;
  /** Partitions handled at a time: all, so that a slow one does not stall its broker's others. */
  readonly partitions: number;
  readonly timings: KafkaTimings;
  /** Called within the join, before anything is fetched under the new assignment. */
  onJoined(consumer: Consumer, partitions: readonly number[]): void;
  onBatch(consumer: Consumer, batch: Batch): void;
  /** Only marks of transactions came: nothing for a reader, but the offset moves. */
  onNothing(partition: number, firstOffset: string | null, lastOffset: string): void;
  /** A fetch was answered. */
  onFetched(): void;
  now(): number;
}

/** How soon a fetch without news is answered: bounds how long a resumed partition waits for its turn. */
const fetchWaitMs = 100;
const fetchBytesPerPartition = 1024 * 1024;
const fetchBytes = 16 * 1024 * 1024;
/**
 * A partition of which so few records came is not asked for again at once: a fetch for each event would keep broker and
 * client busier than the events do.
 */
const fewRecords = 256;
const fewPauseMs = 3;
const disconnectWithinMs = 5_000;

/**
 * Runs one kafkajs consumer until `signal` aborts. Throws when it crashed, or made no fetch for too long: kafkajs gives
 * up after some retries, so whoever calls makes another one.
 */
export async function runConsumer(parts: ConsumerParts, signal: AbortSignal): Promise<void> {
  const { client, topic, groupId, timings } = parts;
  const consumer = client.kafka.consumer({
    groupId,
    partitionAssigners: [parts.assigner],
    sessionTimeout: timings.sessionMs,
    rebalanceTimeout: timings.sessionMs,
    heartbeatInterval: Math.min(1_000, Math.floor(timings.sessionMs / 6)),
    maxWaitTimeInMs: fetchWaitMs,
    maxBytesPerPartition: fetchBytesPerPartition,
    maxBytes: fetchBytes,
    allowAutoTopicCreation: false,
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
  });
  let lastSign = parts.now();
  let fail: (error: unknown) => void = () => {};
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject;
    end = resolve;
  });
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  ended.catch(() => {});
  const { CRASH, END_BATCH_PROCESS, FETCH, GROUP_JOIN } = consumer.events;
  consumer.on(CRASH, ({ payload }) => fail(payload.error));
  consumer.on(GROUP_JOIN, ({ payload }) => {
    lastSign = parts.now();
    parts.onJoined(consumer, payload.memberAssignment[topic] ?? []);
  });
  consumer.on(FETCH, () => {
    lastSign = parts.now();
    parts.onFetched();
  });
  consumer.on(END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) parts.onNothing(payload.partition, payload.firstOffset, payload.lastOffset);
  });
  const watch = setInterval(
    () => {
      const silentMs = parts.now() - lastSign;
      if (silentMs > timings.stuckMs) fail(new Error(`no fetch for ${Math.round(silentMs)} ms`));
    },
    Math.min(1_000, timings.stuckMs / 4),
  );
  let breathing: Promise<void> | null = null;
  /** One pause for all partitions of a fetch: kafkajs fetches again when all are done. */
  const breath = (): Promise<void> => {
    breathing ??= wait(fewPauseMs).then(() => {
      breathing = null;
    });
    return breathing;
  };
  const work = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: parts.partitions,
      eachBatch: async ({ batch }: EachBatchPayload) => {
        parts.onBatch(consumer, batch);
        if (batch.messages.length < fewRecords) await breath();
      },
    });
  };
  try {
    work().catch(fail);
    await ended;
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', end);
    await within(disconnectWithinMs, consumer.disconnect());
  }
}

/** A consumer that hangs must not keep the next one from beginning. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work.catch(() => {}),
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
