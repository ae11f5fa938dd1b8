import type { EventLog, LogRecord, PartitionReader } from '../../stream/log/index.ts';
import { SharedRecord } from '../../stream/log/record.ts';
import { startTestRedis } from '../../tests/support/redis.ts';
import { w1, w1Events } from './events.ts';
import { cpuSeconds, cpuSecondsOf, peakMemoryMb } from './measure.ts';
import { digestOf, Reference } from './reference.ts';
import { finalState } from './vectors.ts';
import { benchWorker, w1Workspace } from './worker.ts';

/**
 * W1 without a broker: the records come from memory, all else is real (worker, Redis with appendfsync always). For
 * profiles:  node benchmarks/run.mjs w1-memory [events]   with NODE_OPTIONS=--cpu-prof
 */
const count = Number(process.argv[2] ?? w1.events);
const bufferBytes = 1024 * 1024;

/** Records of each partition in buffers as large as a fetch's. */
async function recordsInMemory(reference: Reference): Promise<LogRecord[][]> {
  const workspace = await w1Workspace();
  const partitions: LogRecord[][] = Array.from({ length: w1.partitions }, () => []);
  const buffers: Buffer[] = partitions.map(() => Buffer.alloc(bufferBytes));
  const used = partitions.map(() => 0);
  const appendedAt = Date.now();
  for (const event of w1Events((type) => workspace.types.get(type)?.schemaHash ?? '', count)) {
    reference.add(event);
    const { partition, value, user } = event;
    let buffer: Buffer = buffers[partition] as Buffer;
    let at = used[partition] ?? 0;
    if (at + value.length + user.length > bufferBytes) {
      buffer = Buffer.alloc(bufferBytes);
      buffers[partition] = buffer;
      at = 0;
    }
    const from = at + buffer.write(user, at);
    const to = from + value.copy(buffer, from);
    used[partition] = to;
    const records = partitions[partition] as LogRecord[];
    records.push(new SharedRecord(records.length, appendedAt, buffer, at, from, from, to));
  }
  return partitions;
}

function logOf(partitions: LogRecord[][]): EventLog {
  const unused = async (): Promise<never> => {
    throw new Error('not for this');
  };
  const readerOf = (partition: number, from: number): PartitionReader => {
    let next = from;
    const all = partitions[partition] ?? [];
    return {
      partition,
      async next(limit, waitMs) {
        // As a client whose data is there already: the answer comes in a later turn of the event loop.
        await new Promise((resolve) =>
          next < all.length ? setImmediate(resolve) : setTimeout(resolve, Math.min(waitMs, 50)),
        );
        const records = all.slice(next, next + limit);
        next += records.length;
        return records;
      },
    };
  };
  return {
    partitions: w1.partitions,
    append: unused,
    range: async (partition) => ({ start: 0, end: partitions[partition]?.length ?? 0 }),
    async subscribe({ startAt, onAssigned }) {
      for (const partition of partitions.keys()) onAssigned(readerOf(partition, await startAt(partition)));
      return { restart: unused, stop: async () => {} };
    },
    trim: unused,
    close: async () => {},
  };
}

const reference = new Reference();
const partitions = await recordsInMemory(reference);
const redis = await startTestRedis({ maxmemoryMb: 2_048 });
try {
  const { role, store, done } = await benchWorker(logOf(partitions), redis.url, count);
  const cpu = cpuSeconds();
  const redisCpu = cpuSecondsOf(redis.pid);
  const begun = performance.now();
  await role.start();
  const { batches } = await done;
  const seconds = (performance.now() - begun) / 1_000;
  const own = cpuSeconds() - cpu;
  const redisSeconds = cpuSecondsOf(redis.pid) - redisCpu;
  await role.stop();
  const perMillion = (value: number): string => ((value / count) * 1e6).toFixed(2);
  console.log(
    `${Math.round(count / seconds).toLocaleString('en-US')} events/s, CPU-s per million: ${perMillion(own)} worker + ${perMillion(redisSeconds)} Redis, ${batches} batches, peak ${peakMemoryMb(process.pid)} MB`,
  );
  const { vectors, blobBytes } = await finalState(redis.url);
  const wanted = digestOf(reference.vectors());
  console.log(`blob bytes p50 ${blobBytes.p50}, p99 ${blobBytes.p99}, max ${blobBytes.max}`);
  console.log(
    digestOf(vectors) === wanted ? `exact: ${wanted}` : 'WRONG: the final vectors differ from the reference',
  );
  if (digestOf(vectors) !== wanted) process.exitCode = 1;
  await store.close();
} finally {
  await redis.stop();
}
