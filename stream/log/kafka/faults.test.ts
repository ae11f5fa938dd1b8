import { Kafka, logLevel } from 'kafkajs';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithKafka, startTestKafka, type TestKafka } from '../../../tests/support/kafka.ts';
import { patienceMs } from '../../../tests/support/patience.ts';
import { waitFor } from '../../../tests/support/program.ts';
import { silentLogger } from '../../../tests/support/silence.ts';
import { readerOf } from '../log.contract.ts';
import type { LogRecord, NewRecord, PartitionReader, Subscription } from '../port.ts';
import { kafkaClient } from './client.ts';
import { type KafkaLog, kafkaLog } from './kafka-log.ts';
import { kafkaLogMetrics } from './metrics.ts';
import { defaultTimings, type KafkaLogOptions } from './options.ts';
import { KafkaSubscription } from './subscription.ts';
import { logTopic } from './topic.ts';

const partitions = 4;
const record = (partition: number, key: string): NewRecord => ({
  partition,
  key,
  value: Buffer.from(`value of ${key}`),
});

const value = Buffer.alloc(100 * 1024, 1);
const big = (partition: number, i: number): NewRecord => ({ partition, key: `k${i}`, value });
/** A kill costs some seconds, most of them the broker's own start. */
const isFull = process.env.PRESAGE_FULL === '1';
const kills = isFull ? 10 : 3;

describeWithKafka('the log in Kafka', () => {
  let broker: TestKafka;
  let count = 0;
  const logs: KafkaLog[] = [];
  beforeAll(async () => {
    broker = await startTestKafka();
  });
  afterEach(async () => {
    for (const log of logs.splice(0)) await log.close();
  });
  afterAll(() => broker?.stop());

  async function open(options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
    const log = await kafkaLog({
      connection: { brokers: [broker.address] },
      prefix: `faults${count}.`,
      version: 1,
      partitions,
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      logger: silentLogger(),
      ...options,
      timings: { checkMs: 100, followMs: 100, ...options.timings },
    });
    logs.push(log);
    return log;
  }
  /** A log that others of the test may open too. */
  const fresh = (options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> => {
    count += 1;
    return open(options);
  };

  /** Joins a group and reads all it is assigned into `read`, from where the group was before. */
  async function join(log: KafkaLog, read: Map<number, LogRecord[]>) {
    const held = new Map<number, PartitionReader>();
    let isActive = true;
    const follow = async (reader: PartitionReader): Promise<void> => {
      while (isActive && held.get(reader.partition) === reader) {
        const records = await reader.next(100, 50);
        if (held.get(reader.partition) === reader) read.get(reader.partition)?.push(...records);
      }
    };
    const subscription: Subscription = await log.subscribe({
      group: 'stream',
      startAt: async (partition) => read.get(partition)?.length ?? 0,
      onAssigned: (reader) => {
        held.set(reader.partition, reader);
        void follow(reader);
      },
      onRevoked: (partition) => held.delete(partition),
    });
    return {
      held: () => [...held.keys()].sort((a, b) => a - b),
      leave: async () => {
        isActive = false;
        held.clear();
        await subscription.stop();
      },
    };
  }

  const emptyRead = (): Map<number, LogRecord[]> =>
    new Map(Array.from({ length: partitions }, (_, partition) => [partition, []]));

  it('divides its partitions among the members of a group, and moves only what must', async () => {
    const sessionMs = 60_000;
    const log = await fresh({ timings: { sessionMs } });
    const read = emptyRead();
    const one = await join(log, read);
    expect(one.held()).toEqual([0, 1, 2, 3]);
    const two = await join(await open({ timings: { sessionMs } }), read);
    await waitFor('two and two', () => one.held().length === 2 && two.held().length === 2);
    const kept = one.held();
    await log.append(Array.from({ length: 40 }, (_, i) => record(i % partitions, `k${i}`)));
    await waitFor('all records', () => [...read.values()].every((records) => records.length === 10));
    const begun = performance.now();
    await two.leave();
    await waitFor('one to have all again', () => one.held().length === 4);
    // A member that leaves says so; one that only vanished would be waited for.
    expect(performance.now() - begun).toBeLessThan(sessionMs / 2);
    expect(one.held()).toEqual(expect.arrayContaining(kept));
    await log.append(Array.from({ length: 40 }, (_, i) => record(i % partitions, `l${i}`)));
    await waitFor('all records', () => [...read.values()].every((records) => records.length === 20));
    for (const records of read.values())
      expect(records.map(({ offset }) => offset)).toEqual(records.map((_, i) => i));
    await one.leave();
  });

  it('lets the offsets of the group follow, for lag tools', async () => {
    const log = await fresh();
    const read = emptyRead();
    const member = await join(log, read);
    await log.append([record(0, 'a'), record(0, 'b'), record(1, 'c')]);
    const admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await waitFor('the offsets', async () => {
      const [topic] = await admin.fetchOffsets({
        groupId: `faults${count}.stream.v1`,
        topics: [`faults${count}.events.v1`],
      });
      const offsets = new Map(topic?.partitions.map(({ partition, offset }) => [partition, offset]));
      return offsets.get(0) === '2' && offsets.get(1) === '1';
    });
    await admin.disconnect();
    await member.leave();
  });

  it('tells a reader when the log was trimmed beyond it, jumps over nothing, and no other partition notices', async () => {
    const log = await fresh();
    const slow = await readerOf(log, 0, 0);
    const other = await readerOf(log, 1, 0);
    for (let i = 0; i < 12; i++) await log.append(Array.from({ length: 10 }, (_, j) => big(0, i * 10 + j)));
    const read: number[] = [];
    read.push(...(await slow.reader.next(1, patienceMs)).map(({ offset }) => offset));
    // What waits for the reader is bounded, so the rest is only in the log: kafkajs would go on after it without a word.
    await log.trim(0, 120);
    const lost = await waitFor('the error', async () => {
      try {
        read.push(...(await slow.reader.next(10, 100)).map(({ offset }) => offset));
      } catch (error) {
        return error as { code: string; details: { offset: number } };
      }
    });
    expect(lost).toMatchObject({ code: 'log_position_lost', details: { start: 120, end: 120 } });
    expect(read).toEqual(read.map((_, i) => i));
    expect(lost.details.offset).toBe(read.length);
    expect(read.length).toBeLessThan(120);
    await log.append([record(0, 'later'), record(1, 'there')]);
    expect((await other.reader.next(1, patienceMs)).map(({ key }) => key)).toEqual(['there']);
    await expect(slow.reader.next(1, 100)).rejects.toMatchObject({ code: 'log_position_lost' });
    await slow.subscription.stop();
    await other.subscription.stop();
  });

  it('bounds what waits for a slow reader, and reads the other partitions on', async () => {
    const log = await fresh();
    const { reader: slow, subscription } = await readerOf(log, 0, 0);
    const quick = await readerOf(log, 1, 0);
    // 20 MB for the slow one: five times what may wait.
    for (let i = 0; i < 20; i++) await log.append(Array.from({ length: 10 }, (_, j) => big(0, i * 10 + j)));
    await log.append(Array.from({ length: 10 }, (_, i) => big(1, i)));
    const others: LogRecord[] = [];
    await waitFor('the other partition', async () => {
      others.push(...(await quick.reader.next(100, 100)));
      return others.length === 10;
    });
    const offsets: number[] = [];
    while (offsets.length < 200) {
      const records = await slow.next(7, patienceMs);
      if (records.length === 0) break;
      offsets.push(...records.map(({ offset }) => offset));
    }
    expect(offsets).toEqual(Array.from({ length: 200 }, (_, i) => i));
    await subscription.stop();
    await quick.subscription.stop();
  });

  it('makes a consumer anew that makes no fetch, and goes on at the next record', async () => {
    const registry = new Registry();
    const log = await fresh({ registry, timings: { stuckMs: 1_500, patienceMs: 1_000 } });
    const { reader, subscription } = await readerOf(log, 0, 0);
    await log.append([record(0, 'before')]);
    expect((await reader.next(1, patienceMs)).map(({ key }) => key)).toEqual(['before']);
    process.kill(broker.pid, 'SIGSTOP');
    const restarts = async (): Promise<number> =>
      (await registry.getSingleMetric('presage_log_consumer_restarts_total')?.get())?.values[0]?.value ?? 0;
    try {
      await waitFor('the consumer to be given up', async () => (await restarts()) > 0);
      await waitFor('the reader to be told', () =>
        reader.next(1, 10).then(
          () => false,
          (error) => error.code === 'log_unavailable',
        ),
      );
    } finally {
      process.kill(broker.pid, 'SIGCONT');
    }
    await waitFor('an append', () => log.append([record(0, 'after')]).catch(() => null));
    const next = await waitFor('the next record', async () =>
      (await reader.next(1, 500).catch(() => [])).at(0),
    );
    expect(next.offset).toBe(1);
    await subscription.stop();
  });

  it('gives no orders to a consumer that is going', async () => {
    await fresh();
    const prefix = `faults${count}.`;
    const logger = silentLogger();
    const registry = new Registry();
    const real = await kafkaClient({ brokers: [broker.address] }, logger);
    const seeks = async (): Promise<number> =>
      (await registry.getSingleMetric('presage_log_repositions_total')?.get())?.values[0]?.value ?? 0;
    let seeksWhileGoing = 0;
    const kafka = Object.create(real.kafka) as Kafka;
    kafka.consumer = (options) => {
      const consumer = real.kafka.consumer(options);
      const disconnect = async (): Promise<void> => {
        process.kill(broker.pid, 'SIGCONT');
        await consumer.disconnect();
        const before = await seeks();
        await waitFor('a look after the consumer has gone', async () => (await seeks()) > before + 1);
        seeksWhileGoing += 1;
      };
      return { ...consumer, disconnect };
    };
    const subscription = new KafkaSubscription(
      {
        client: { ...real, kafka },
        topic: logTopic(prefix, 1),
        groupId: `${prefix}going`,
        partitions,
        clock: { now: () => Date.now(), monotonic: () => performance.now() },
        logger,
        metrics: kafkaLogMetrics(registry),
        timings: { ...defaultTimings, checkMs: 10, stuckMs: 1_000 },
        // Tells, without the broker, of records that do not come: each look seeks.
        ranges: async () =>
          new Map(Array.from({ length: partitions }, (_, partition) => [partition, { start: 0, end: 1 }])),
      },
      { group: 'going', startAt: async () => 0, onAssigned: () => {}, onRevoked: () => {} },
    );
    await subscription.begin();
    process.kill(broker.pid, 'SIGSTOP');
    try {
      await waitFor('looks while a consumer goes', () => seeksWhileGoing > 0);
    } finally {
      process.kill(broker.pid, 'SIGCONT');
    }
    await subscription.stop();
  });

  it(`keeps every acknowledged record through ${kills} kills of the broker; readers get all in order${isFull ? ' [full form]' : ''}`, async () => {
    const log = await fresh({ timings: { patienceMs: 2_000 } });
    const { reader, subscription } = await readerOf(log, 0, 0);
    const acknowledged: string[] = [];
    let isFeeding = true;
    const feeding = (async () => {
      for (let n = 0; isFeeding; n++) {
        // The same until it is acknowledged, as a client would.
        for (;;) {
          try {
            await log.append([record(0, `k${n}`)]);
            acknowledged.push(`k${n}`);
            break;
          } catch (error) {
            expect(error).toMatchObject({ code: 'log_unavailable', retriable: true });
          }
        }
      }
    })();
    const read: LogRecord[] = [];
    const reading = (async () => {
      while (isFeeding || read.at(-1)?.key !== acknowledged.at(-1))
        read.push(
          ...(await reader.next(500, 200).catch((error) => {
            expect(error).toMatchObject({ code: 'log_unavailable' });
            return [];
          })),
        );
    })();
    for (let kill = 0; kill < kills; kill++) {
      const before = acknowledged.length;
      await waitFor('some records', () => acknowledged.length > before + 20);
      await broker.kill();
      await broker.restart();
    }
    const before = acknowledged.length;
    await waitFor('records after the last kill', () => acknowledged.length > before + 20);
    isFeeding = false;
    await feeding;
    await reading;
    expect(read.map(({ offset }) => offset)).toEqual(read.map((_, i) => i));
    // An unknown outcome may stand twice; the first of each in the order they were acknowledged.
    expect([...new Set(read.map(({ key }) => key))]).toEqual(acknowledged);
    await subscription.stop();
  }, 480_000);
});
