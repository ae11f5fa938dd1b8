import { expect, it } from 'vitest';
import { readEnvironment } from '../environment.ts';
import { leftElsewhere } from './reset.ts';

it('reset tells what stands outside the data folder, and how to remove it', () => {
  expect(leftElsewhere(readEnvironment({}))).toEqual([]);
  const left = leftElsewhere(
    readEnvironment({
      KAFKA_BROKERS: 'a:1,b:2',
      KAFKA_TOPIC_PREFIX: 'shop.',
      REDIS_URL: 'redis://:secret@r:1',
    }),
  );
  expect(left).toEqual([
    expect.stringContaining('kafka-topics.sh --bootstrap-server a:1,b:2 --delete --topic shop.events.v1'),
    expect.stringContaining(
      'kafka-consumer-groups.sh --bootstrap-server a:1,b:2 --delete --group shop.source.NAME',
    ),
    expect.stringContaining('REDIS_URL'),
  ]);
  expect(left.join()).not.toContain('secret');
});
