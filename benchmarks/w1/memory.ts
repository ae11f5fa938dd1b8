import type { EventLog, LogRecord, PartitionReader } from '../../stream/log/index.ts';
import { SharedRecord } from '../../stream/log/record.ts';
import { startTestRedis } from '../../tests/support/redis.ts';
import { w1, w1Events } from './events.ts';
import { cpuSeconds, cpuSecondsOf, peakMemoryMb } from './measure.ts';
import { profiled } from './profile.ts';
import { digestOf, Reference } from './reference.ts';
import { finalState } from './vectors.ts';
import { benchWorker, w1Workspace } from './worker.ts';

/**
 * W1 without a broker: the records come from memory, all else is real (worker, Redis with appendfsync always). For
 * profiles:  node benchmarks/run.mjs w1-memory [events]   with PRESAGE_PROFILE=w1.cpuprofile
 */
const count = Number(process.argv[2] ?? w1.events);
const bufferBytes = 1024 * 1024;

/** A partition's events in buffers as large as a fetch's, and where each is: its user and then its value. */
interface Fetched {
  readonly buffers: Buffer[];
  /** Buffer, begin, begin of the value and end of each event. */
  readonly places: number[];
}

/** All partitions, and the digest of what must come out. Only bytes are kept, as with a broker. */
async function eventsInMemory(): Promise<{ partitions: Int32Array[]; buffers: Buffer[][]; wanted: string }> {
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
  return {
    partitions: all.map(({ places }) => Int32Array.from(places)),
    buffers: all.map(({ buffers }) => buffers),
    wanted: digestOf(reference.vectors()),
  };
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
          const [buffer = 0, at = 0, from = 0, to = 0] = places.subarray(4 * next, 4 * next + 4);
          records.push(
            new SharedRecord(next, appendedAt, buffers[partition]?.[buffer] as Buffer, at, from, from, to),
          );
        }
        return records;
      },
    };
  };
  return {
    partitions: w1.partitions,
    append: unused,
    range: async (partition) => ({ start: 0, end: (partitions[partition]?.length ?? 0) / 4 }),
    async subscribe({ startAt, onAssigned }) {
      for (const partition of partitions.keys()) onAssigned(readerOf(partition, await startAt(partition)));
      return { restart: unused, stop: async () => {} };
    },
    trim: unused,
    close: async () => {},
  };
}

const { partitions, buffers, wanted } = await eventsInMemory();
const redis = await startTestRedis({ maxmemoryMb: 2_048 });
try {
  const { role, store, done } = await benchWorker(logOf(partitions, buffers), redis.url, count);
  const cpu = cpuSeconds();
  const redisCpu = cpuSecondsOf(redis.pid);
  const begun = performance.now();
  const { batches } = await profiled(async () => {
    await role.start();
    return done;
  });
  const seconds = (performance.now() - begun) / 1_000;
  const own = cpuSeconds() - cpu;
  const redisSeconds = cpuSecondsOf(redis.pid) - redisCpu;
  await role.stop();
  const perMillion = (value: number): string => ((value / count) * 1e6).toFixed(2);
  console.log(
    `${Math.round(count / seconds).toLocaleString('en-US')} events/s, CPU-s per million: ${perMillion(own)} worker + ${perMillion(redisSeconds)} Redis, ${batches} batches, peak ${peakMemoryMb(process.pid)} MB`,
  );
  const { vectors, blobBytes } = await finalState(redis.url);
  console.log(`blob bytes p50 ${blobBytes.p50}, p99 ${blobBytes.p99}, max ${blobBytes.max}`);
  console.log(
    digestOf(vectors) === wanted ? `exact: ${wanted}` : 'WRONG: the final vectors differ from the reference',
  );
  if (digestOf(vectors) !== wanted) process.exitCode = 1;
  await store.close();
} finally {
  await redis.stop();
}
