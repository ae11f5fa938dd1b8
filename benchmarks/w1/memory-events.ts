import type { EventLog, LogRecord, PartitionReader } from '../../stream/log/index.ts';
import { SharedRecord } from '../../stream/log/record.ts';
import { w1, w1Events } from './events.ts';
import { Reference } from './reference.ts';
import { w1Workspace } from './worker.ts';

const bufferBytes = 1024 * 1024;

/** A partition's events in buffers as large as a fetch's, and where each is: its user and then its value. */
interface Fetched {
  readonly buffers: Buffer[];
  /** Buffer, begin, begin of the value and end of each event. */
  readonly places: number[];
}

export interface EventsInMemory {
  readonly log: EventLog;
  /** How many records each partition has. */
  readonly ends: readonly number[];
  /** The vectors that must come out. */
  readonly vectors: Map<string, string>;
}

/** W1's events as a log that keeps nothing new (ticks). Only bytes are kept, as with a broker. */
export async function eventsInMemory(count: number): Promise<EventsInMemory> {
  const workspace = await w1Workspace();
  const reference = new Reference();
  const all = Array.from({ length: w1.partitions }, (): Fetched => ({ buffers: [], places: [] }));
  const used = all.map(() => bufferBytes);
  for (const event of w1Events((type) => workspace.types.get(type)?.schemaHash ?? '', count)) {
    reference.add(event);
    const { partition, value, user } = event;
    const { buffers, places } = all[partition] as Fetched;
    let at = used[partition] ?? 0;
    if (at + value.length + user.length > bufferBytes) {
      buffers.push(Buffer.alloc(bufferBytes));
      at = 0;
    }
    const buffer = buffers.at(-1) as Buffer;
    const from = at + buffer.write(user, at);
    const to = from + value.copy(buffer, from);
    used[partition] = to;
    places.push(buffers.length - 1, at, from, to);
  }
  const log = logOf(
    all.map(({ places }) => Int32Array.from(places)),
    all.map(({ buffers }) => buffers),
  );
  return { log, ends: all.map(({ places }) => places.length / 4), vectors: reference.vectors() };
}

function logOf(partitions: Int32Array[], buffers: Buffer[][]): EventLog {
  const appendedAt = Date.now();
  const unused = async (): Promise<never> => {
    throw new Error('not for this');
  };
  const readerOf = (partition: number, from: number): PartitionReader => {
    let next = from;
    const places = partitions[partition] as Int32Array;
    const end = places.length / 4;
    return {
      partition,
      async next(limit, waitMs) {
        // As a client whose data is there already: the answer comes in a later turn of the event loop.
        await new Promise((resolve) =>
          next < end ? setImmediate(resolve) : setTimeout(resolve, Math.min(waitMs, 50)),
        );
        const records: LogRecord[] = [];
        for (const last = Math.min(end, next + limit); next < last; next++) {
          const buffer = buffers[partition]?.[places[4 * next] as number] as Buffer;
          const at = places[4 * next + 1] as number;
          const from = places[4 * next + 2] as number;
          const to = places[4 * next + 3] as number;
          records.push(new SharedRecord(next, appendedAt, buffer, at, from, from, to));
        }
        return records;
      },
    };
  };
  return {
    partitions: w1.partitions,
    append: async () => [],
    range: async (partition) => ({ start: 0, end: (partitions[partition]?.length ?? 0) / 4 }),
    async subscribe({ startAt, onAssigned }) {
      for (const partition of partitions.keys()) onAssigned(readerOf(partition, await startAt(partition)));
      return { restart: unused, stop: async () => {} };
    },
    trim: unused,
    close: async () => {},
  };
}
