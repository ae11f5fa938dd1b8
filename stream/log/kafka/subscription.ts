import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Batch, Consumer } from 'kafkajs';
import { type Clock, type Logger, messageOf, type PresageError } from '../../../core/index.ts';
import type { LogRange, SubscribeOptions, Subscription } from '../port.ts';
import { stickyAssigner } from './assigner.ts';
import { type KafkaClient, unavailable } from './client.ts';
import { runConsumer } from './consumer.ts';
import type { KafkaLogMetrics } from './metrics.ts';
import type { KafkaTimings } from './options.ts';
import { PartitionQueue } from './partition-queue.ts';
import { fetchedFrom } from './raw-fetch.ts';

export interface SubscriptionParts {
  readonly client: KafkaClient;
  readonly topic: string;
  /** Of the group that shares partitions, by the name that whoever subscribes gave it. */
  readonly groupId: string;
  readonly partitions: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: KafkaLogMetrics;
  readonly timings: KafkaTimings;
  ranges(): Promise<ReadonlyMap<number, LogRange>>;
}

/**
 * Reads the topic as a member of a group; with `partitions` given, as the only member of a group of its own. Outlives
 * its consumers: what is queued stays when one is made anew, and each is put to the offsets that are next. kafkajs'
 * own offsets decide nothing: a fetch from anywhere else is dropped and the position compared with the log's range.
 */
export class KafkaSubscription implements Subscription {
  readonly #parts: SubscriptionParts;
  readonly #options: SubscribeOptions;
  readonly #stopped = new AbortController();
  readonly #queues = new Map<number, PartitionQueue>();
  readonly #paused = new Set<number>();
  #isLooking = false;
  /** Since when the assignment is what it is: tells the group whose claim is the later. */
  #since = 0;
  #consumer: Consumer | null = null;
  #trouble: PresageError | null = null;
  #hasJoined = false;
  #running: Promise<void> = Promise.resolve();
  #joined: { resolve(): void; reject(error: unknown): void } = { resolve() {}, reject() {} };
  #timers: NodeJS.Timeout[] = [];
  /** Idle partitions whose next record was there already at the last look. */
  #overdue = new Set<number>();
  /** Offsets that the group was told last. */
  readonly #told = new Map<number, number>();

  constructor(parts: SubscriptionParts, options: SubscribeOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Resolves when the first partitions are assigned. Throws `log_unavailable`, or what `startAt` threw. */
  async begin(): Promise<void> {
    const first = new Promise<void>((resolve, reject) => {
      this.#joined = { resolve, reject };
    });
    const { timings } = this.#parts;
    this.#running = this.#run();
    this.#timers = [
      setInterval(() => void this.#look(), timings.checkMs),
      setInterval(() => void this.#follow(), timings.followMs),
    ];
    try {
      await first;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async restart(partition: number): Promise<void> {
    if (!this.#queues.has(partition) || this.#stopped.signal.aborted) return;
    this.#queues.get(partition)?.end();
    await this.#assign(this.#hold(partition));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const timer of this.#timers) clearInterval(timer);
    for (const queue of this.#queues.values()) queue.end();
    await this.#running;
    this.#queues.clear();
  }

  async #run(): Promise<void> {
    const { clock, timings } = this.#parts;
    const { retryMs } = timings;
    const { signal } = this.#stopped;
    const givesUpAt = clock.monotonic() + timings.patienceMs;
    let pause = retryMs.first;
    while (!signal.aborted) {
      try {
        await this.#consume();
      } catch (error) {
        this.#trouble = unavailable(this.#parts.client.where, 'read the log', error);
        if (!this.#hasJoined && clock.monotonic() >= givesUpAt) return this.#joined.reject(this.#trouble);
        this.#parts.metrics.consumerRestarts.inc({ group: this.#options.group });
        this.#parts.logger.warn(
          { group: this.#parts.groupId, err: messageOf(error), retryInMs: pause },
          'The Kafka consumer is made anew',
        );
        await wait(pause, undefined, { signal }).catch(() => {});
        pause = Math.min(pause * 2, retryMs.most);
        continue;
      } finally {
        this.#consumer = null;
      }
      pause = retryMs.first;
    }
  }

  #consume(): Promise<void> {
    const { client, topic, partitions, timings, clock } = this.#parts;
    const all = this.#options.partitions ?? Array.from({ length: partitions }, (_, partition) => partition);
    return runConsumer(
      {
        client,
        topic,
        // Another one each time: it would wait for its predecessor's session to end.
        groupId:
          this.#options.partitions === undefined
            ? this.#parts.groupId
            : `${this.#parts.groupId}-${randomUUID()}`,
        partitions: all.length,
        timings,
        assigner: stickyAssigner({
          encodings: client.encodings,
          topic,
          partitions: all,
          claim: () => ({ held: [...this.#queues.keys()], since: this.#since }),
        }),
        onJoined: (consumer, assigned) => this.#onJoined(consumer, assigned),
        onBatch: (consumer, batch) => this.#onBatch(consumer, batch),
        onNothing: (partition, first, last) => {
          const queue = this.#queues.get(partition);
          if (queue?.isOpen && Number(first) === queue.next) queue.push([], 0, Number(last) + 1);
        },
        onFetched: () => {
          this.#trouble = null;
        },
        now: () => clock.monotonic(),
      },
      this.#stopped.signal,
    );
  }

  /** kafkajs forgets all its offsets in a join, so each partition is put where it was; new ones wait for theirs. */
  #onJoined(consumer: Consumer, assigned: readonly number[]): void {
    if (this.#stopped.signal.aborted) return;
    const { topic, metrics, clock } = this.#parts;
    metrics.rebalances.inc({ group: this.#options.group });
    this.#consumer = consumer;
    this.#since = clock.now();
    this.#paused.clear();
    this.#told.clear();
    for (const [partition, queue] of [...this.#queues]) {
      if (assigned.includes(partition)) continue;
      this.#queues.delete(partition);
      queue.end();
      this.#options.onRevoked(partition);
    }
    const added: PartitionQueue[] = [];
    for (const partition of [...assigned].sort((a, b) => a - b)) {
      const queue = this.#queues.get(partition);
      if (queue === undefined) added.push(this.#hold(partition));
      else if (queue.isOpen && !queue.isFull) {
        this.#tell((mine) => mine.resume([{ topic, partitions: [partition] }]));
        this.#seek(queue);
      } else {
        this.#pause(partition);
        if (queue.isOpen) this.#seek(queue);
      }
    }
    if (this.#hasJoined) for (const queue of added) void this.#assignAtLast(queue);
    else void this.#assignFirst(added);
  }

  async #assignFirst(queues: readonly PartitionQueue[]): Promise<void> {
    try {
      for (const queue of queues) await this.#assign(queue);
      this.#hasJoined = true;
      this.#joined.resolve();
    } catch (error) {
      this.#joined.reject(error);
    }
  }

  async #assignAtLast(queue: PartitionQueue): Promise<void> {
    const { retryMs } = this.#parts.timings;
    const { signal } = this.#stopped;
    for (let pause = retryMs.first; !queue.isEnded; pause = Math.min(pause * 2, retryMs.most)) {
      try {
        return await this.#assign(queue);
      } catch (error) {
        this.#parts.logger.warn(
          { partition: queue.partition, err: messageOf(error), retryInMs: pause },
          'A partition that was assigned can not begin yet',
        );
        await wait(pause, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Nothing is fetched of it until its position is known. */
  #hold(partition: number): PartitionQueue {
    const queue: PartitionQueue = new PartitionQueue(
      partition,
      () => this.#resume(queue),
      () => this.#trouble,
    );
    this.#queues.set(partition, queue);
    this.#pause(partition);
    return queue;
  }

  async #assign(queue: PartitionQueue): Promise<void> {
    const { partition } = queue;
    const from = await this.#options.startAt(partition);
    const range = (await this.#parts.ranges()).get(partition);
    if (this.#queues.get(partition) !== queue || queue.isEnded) return;
    queue.open(from);
    if (range === undefined || from < range.start || from > range.end) {
      queue.lose(range ?? { start: 0, end: 0 });
    } else {
      this.#resume(queue);
      this.#seek(queue);
    }
    this.#options.onAssigned(queue.reader());
  }

  #onBatch(consumer: Consumer, batch: Batch): void {
    const { partition } = batch;
    const queue = this.#queues.get(partition);
    if (consumer !== this.#consumer || queue === undefined || !queue.isOpen) return;
    // Not in kafkajs' types: the offset that was asked for.
    const { fetchedOffset } = batch as Batch & { readonly fetchedOffset?: string };
    if (fetchedOffset !== undefined && Number(fetchedOffset) !== queue.next) {
      this.#reposition(queue, `kafkajs fetched from ${fetchedOffset}`);
      return;
    }
    try {
      const bytes = batch.messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      queue.push(fetchedFrom(batch.messages, queue.next), bytes, Number(batch.lastOffset()) + 1);
    } catch (error) {
      this.#reposition(queue, messageOf(error));
      return;
    }
    if (queue.isFull) this.#pause(partition);
  }

  /** Back to the offset that is next; whether the log still has it is looked at before anything else comes. */
  #reposition(queue: PartitionQueue, why: string): void {
    this.#parts.metrics.repositions.inc({ group: this.#options.group });
    this.#parts.logger.warn(
      { partition: queue.partition, next: queue.next, why },
      'The Kafka client was not at the offset that is next, and is put back',
    );
    this.#pause(queue.partition);
    this.#seek(queue);
    void this.#look();
  }

  /**
   * An idle partition whose next offset left the log stops with the error; one that has records which do not come is
   * put to its offset again.
   */
  async #look(): Promise<void> {
    const idle = [...this.#queues.values()].filter((queue) => queue.isOpen && queue.isEmpty);
    if (idle.length === 0 || this.#isLooking || this.#stopped.signal.aborted) return;
    const nexts = new Map(idle.map((queue) => [queue, queue.next]));
    let ranges: ReadonlyMap<number, LogRange>;
    this.#isLooking = true;
    try {
      ranges = await this.#parts.ranges();
    } catch (error) {
      this.#trouble ??= error as PresageError;
      return;
    } finally {
      this.#isLooking = false;
    }
    const overdue = new Set<number>();
    for (const [queue, next] of nexts) {
      const { partition } = queue;
      if (this.#queues.get(partition) !== queue || !queue.isOpen || queue.next !== next) continue;
      const range = ranges.get(partition);
      if (range === undefined) continue;
      if (next < range.start || next > range.end) {
        this.#pause(partition);
        queue.lose(range);
        continue;
      }
      this.#resume(queue);
      if (next === range.end) continue;
      if (this.#overdue.has(partition)) {
        this.#parts.metrics.repositions.inc({ group: this.#options.group });
        this.#seek(queue);
      } else overdue.add(partition);
    }
    this.#overdue = overdue;
  }

  /** Offsets of the group are for lag tools only: where to begin is what `startAt` says. */
  async #follow(): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === null || this.#options.partitions !== undefined) return;
    const moved = [...this.#queues.values()].filter(
      (queue) => queue.isOpen && this.#told.get(queue.partition) !== queue.position,
    );
    if (moved.length === 0) return;
    const { topic } = this.#parts;
    const offsets = moved.map(({ partition, position }) => ({ topic, partition, offset: String(position) }));
    try {
      await consumer.commitOffsets(offsets);
      for (const { partition, offset } of offsets) this.#told.set(partition, Number(offset));
    } catch {
      // The next turn tells them.
    }
  }

  #seek({ partition, next }: PartitionQueue): void {
    const { topic } = this.#parts;
    this.#tell((consumer) => consumer.seek({ topic, partition, offset: String(next) }));
  }

  #pause(partition: number): void {
    this.#paused.add(partition);
    this.#tell((consumer) => consumer.pause([{ topic: this.#parts.topic, partitions: [partition] }]));
  }

  #resume(queue: PartitionQueue): void {
    const { partition } = queue;
    if (this.#queues.get(partition) !== queue || !queue.isOpen || !this.#paused.delete(partition)) return;
    this.#tell((consumer) => consumer.resume([{ topic: this.#parts.topic, partitions: [partition] }]));
  }

  /**
   * kafkajs takes a consumer's group away before it says that it crashed, and while it disconnects, and then throws at
   * each of these. Its successor is put to every offset in its join.
   */
  #tell(order: (consumer: Consumer) => void): void {
    if (this.#consumer === null) return;
    try {
      order(this.#consumer);
    } catch (error) {
      this.#parts.logger.debug(
        { group: this.#parts.groupId, err: messageOf(error) },
        'A Kafka consumer that is going took no order',
      );
    }
  }
}
