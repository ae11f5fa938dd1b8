import { Registry } from 'prom-client';
import { systemClock } from '../../app/clock.ts';
import type { EventLog, NewRecord } from '../../stream/log/index.ts';
import { kafkaLog } from '../../stream/log/kafka/kafka-log.ts';
import { type W1Stream, w1, w1Events } from './events.ts';
import { digestOf, Reference } from './reference.ts';
import { logVersion, quietLogger, w1Workspace } from './worker.ts';

/** The product's own log in a topic of that broker; another prefix is another topic. */
export const w1Log = (broker: string, prefix = 'presage.'): Promise<EventLog> =>
  kafkaLog({
    connection: { brokers: [broker] },
    prefix,
    version: logVersion,
    partitions: w1.partitions,
    clock: systemClock,
    logger: quietLogger(() => {}),
    registry: new Registry(),
  });

export const w1Topic = `presage.events.v${logVersion}`;
const recordsPerAppend = 2_000;

/** Fills the topic through the product's own producer. Returns the digest of what must come out, the mean size, and each partition's records. */
export async function fill(
  broker: string,
  count: number,
  given: { readonly prefix?: string; readonly stream?: W1Stream } = {},
): Promise<{ digest: string; meanBytes: number; users: number; ends: number[] }> {
  const workspace = await w1Workspace();
  const log = await w1Log(broker, given.prefix);
  const reference = new Reference();
  const ends: number[] = new Array(w1.partitions).fill(0);
  let bytes = 0;
  let records: NewRecord[] = [];
  for (const event of w1Events((type) => workspace.types.get(type)?.schemaHash ?? '', count, given.stream)) {
    reference.add(event);
    bytes += event.value.length;
    ends[event.partition] = (ends[event.partition] ?? 0) + 1;
    records.push({ partition: event.partition, key: event.user, value: event.value });
    if (records.length === recordsPerAppend) {
      await log.append(records);
      records = [];
    }
  }
  await log.append(records);
  await log.close();
  const vectors = reference.vectors();
  return { digest: digestOf(vectors), meanBytes: bytes / count, users: vectors.size, ends };
}
