import { startTestRedis } from '../../tests/support/redis.ts';
import { w1 } from './events.ts';
import { cpuSeconds, cpuSecondsOf, peakMemoryMb } from './measure.ts';
import { eventsInMemory } from './memory-events.ts';
import { profiled } from './profile.ts';
import { digestOf } from './reference.ts';
import { finalState } from './vectors.ts';
import { benchWorker } from './worker.ts';

/**
 * W1 without a broker: the records come from memory, all else is real (worker, Redis with appendfsync always). For
 * profiles:  node benchmarks/run.mjs w1-memory [events]   with PRESAGE_PROFILE=w1.cpuprofile
 */
const count = Number(process.argv[2] ?? w1.events);
const { log, ends, vectors: wantedVectors } = await eventsInMemory(count);
const wanted = digestOf(wantedVectors);
const redis = await startTestRedis({ maxmemoryMb: 2_048 });
try {
  const { role, store, done } = await benchWorker(log, redis.url, ends);
  const cpu = cpuSeconds();
  const redisCpu = cpuSecondsOf(redis.pid);
  const begun = performance.now();
  const { batches, decisions } = await profiled(async () => {
    await role.start();
    return done;
  });
  const seconds = (performance.now() - begun) / 1_000;
  const own = cpuSeconds() - cpu;
  const redisSeconds = cpuSecondsOf(redis.pid) - redisCpu;
  await role.stop();
  const perMillion = (value: number): string => ((value / count) * 1e6).toFixed(2);
  console.log(
    `${Math.round(count / seconds).toLocaleString('en-US')} events/s, CPU-s per million: ${perMillion(own)} worker + ${perMillion(redisSeconds)} Redis, ${batches} batches, ${decisions} decisions, peak ${peakMemoryMb(process.pid)} MB`,
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
