import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithKafka, startTestKafka, type TestKafka } from './kafka.ts';

describeWithKafka('the broker that tests run against', () => {
  let broker: TestKafka;
  beforeAll(async () => {
    broker = await startTestKafka();
  });
  afterAll(() => broker?.stop());

  it('keeps what it acknowledged when it is killed and started again', async () => {
    const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 2 }], waitForLeaders: true });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'kept', acks: -1, messages: [{ partition: 1, value: 'one' }] });
    await producer.disconnect();
    await admin.disconnect();

    const before = broker.pid;
    await broker.kill();
    await broker.restart();

    expect(broker.pid).not.toBe(before);
    const again = kafka.admin();
    await again.connect();
    expect(await again.fetchTopicOffsets('kept')).toContainEqual(
      expect.objectContaining({ partition: 1, high: '1' }),
    );
    await again.disconnect();
  });
});
