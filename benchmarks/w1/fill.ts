import { Registry } from 'prom-client';
import { systemClock } from '../../app/clock.ts';
import type { EventLog, NewRecord } from '../../stream/log/index.ts';
import { kafkaLog } from '../../stream/log/kafka/kafka-log.ts';
import { w1, w1Events } from './events.ts';
import { digestOf, Reference } from './reference.ts';
import { logVersion, quietLogger, w1Workspace } from './worker.ts';

/** The product's own log in a topic of that broker. */
export const w1Log = (broker: string): Promise<EventLog> =>
  kafkaLog({
    connection: { brokers: [broker] },
    version: logVersion,
    partitions: w1.partitions,
    clock: systemClock,
    logger: quietLogger(() => {}),
    registry: new Registry(),
  });

export const w1Topic = `presage.events.v${logVersion}`;
const recordsPerAppend = 2_000;

/** Fills the topic through the product's own producer. Returns the digest of what must come out, and the mean size. */
export async function fill(broker: string, count: number): Promise<{ digest: string; meanBytes: number }> {
  const workspace = await w1Workspace();
  const log = await w1Log(broker);
  const reference = new Reference();
  let bytes = 0;
  let records: NewRecord[] = [];
  for (const event of w1Events((type) => workspace.types.get(type)?.schemaHash ?? '', count)) {
    reference.add(event);
    bytes += event.value.length;
    records.push({ partition: event.partition, key: event.user, value: event.value });
    if (records.length === recordsPerAppend) {
      await log.append(records);
      records = [];
    }
  }
  await log.append(records);
  await log.close();
  return { digest: digestOf(reference.vectors()), meanBytes: bytes / count };
}
