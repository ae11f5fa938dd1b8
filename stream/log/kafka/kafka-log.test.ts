import { describeWithKafka, startTestKafka } from '../../../tests/support/kafka.ts';
import { silentLogger } from '../../../tests/support/silence.ts';
import { logContract } from '../log.contract.ts';
import { kafkaLog } from './kafka-log.ts';

describeWithKafka('on a real broker', () => {
  let count = 0;
  logContract('Kafka', async () => {
    const broker = await startTestKafka();
    return {
      appendTime: 'server',
      fresh: () =>
        kafkaLog({
          connection: { brokers: [broker.address] },
          prefix: `test${count++}.`,
          version: 1,
          partitions: 3,
          clock: { now: () => Date.now(), monotonic: () => performance.now() },
          logger: silentLogger(),
          timings: { checkMs: 100 },
        }),
      stop: () => broker.stop(),
    };
  });
});
