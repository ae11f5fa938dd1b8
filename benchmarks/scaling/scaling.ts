import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withBroker } from '../shared/broker.ts';
import { type Member, startMember } from '../shared/member.ts';
import { rewritingDuring, withBenchRedis } from '../shared/redis.ts';
import type { WorkerReport } from '../shared/stream-worker.ts';
import { type W1Stream, w1 } from '../w1/events.ts';
import { fill } from '../w1/fill.ts';
import { cpuSecondsOf } from '../w1/measure.ts';
import { digestOf } from '../w1/reference.ts';
import { finalState } from '../w1/vectors.ts';
import { stateAt } from '../w1/worker.ts';
import { report, type ScalingRun } from './report.ts';

/**
 * W1 with 1 and with 2 worker processes, and with one as its users grow: throughput, and CPU of worker and Redis an
 * event. Each run begins cold, with an empty Redis.
 */
const { values: options } = parseArgs({
  options: {
    events: { type: 'string', default: String(w1.events) },
    users: { type: 'string', default: '10000,100000,1000000' },
    rounds: { type: 'string', default: '3' },
    broker: { type: 'string' },
    print: { type: 'boolean', default: false },
  },
});
const count = Number(options.events);
const rounds = Number(options.rounds);

interface Topic {
  readonly prefix: string;
  readonly digest: string;
  /** That its users are drawn from, and that have an event in it. */
  readonly population: number;
  readonly users: number;
  /** How many records each partition has, ticks apart. */
  readonly ends: readonly number[];
}

async function fillTopic(broker: string, users: number): Promise<Topic> {
  const prefix = `scaling-${users}-${Date.now()}.`;
  const stream: W1Stream = { ...w1, users };
  const filled = await fill(broker, count, { prefix, stream });
  return { prefix, digest: filled.digest, population: users, users: filled.users, ends: filled.ends };
}

const run = (broker: string, topic: Topic, processes: number): Promise<ScalingRun> =>
  withBenchRedis('always', async (redis) => {
    const before = cpuSecondsOf(redis.pid);
    const settings = { broker, prefix: topic.prefix, redis: redis.url };
    const workers: Member[] = Array.from({ length: processes }, () => startMember('stream-worker', settings));
    try {
      await Promise.all(workers.map((worker) => worker.heard('ready')));
      await rewritingDuring(redis, untilCommitted(redis.url, topic.ends));
      for (const worker of workers) worker.tell({ say: 'stop' });
      const reports = await Promise.all(
        workers.map(async (worker) => (await worker.heard('done')).report as WorkerReport),
      );
      const redisCpuSeconds = cpuSecondsOf(redis.pid) - before;
      const state = await finalState(redis.url);
      if (digestOf(state.vectors) !== topic.digest)
        throw new Error('WRONG: final features differ from the batch reference');
      const sum = (of: (report: WorkerReport) => number): number =>
        reports.reduce((all, each) => all + of(each), 0);
      const first = Math.min(...reports.map((each) => each.first));
      const last = Math.max(...reports.map((each) => each.last));
      return {
        processes,
        population: topic.population,
        users: topic.users,
        seconds: (last - first) / 1_000,
        cpuSeconds: sum((each) => each.cpuSeconds),
        redisCpuSeconds,
        peakMemoryMb: Math.max(...reports.map((each) => each.peakMemoryMb)),
        misses: sum((each) => each.cacheMisses),
        batches: sum((each) => each.batches),
        shares: reports.map((each) => each.records / count),
        rewrites: await redis.rewrites(),
        blobBytes: state.blobBytes,
      };
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });

/** Offsets have no gaps here: the topic was filled without transactions. */
async function untilCommitted(redis: string, ends: readonly number[]): Promise<void> {
  const store = stateAt(redis);
  for (const [partition, end] of ends.entries())
    while ((await store.head(partition)).position < end) await wait(20);
  await store.close();
}

await withBroker(options.broker, async (broker) => {
  const measure = async (topic: Topic, processes: number): Promise<ScalingRun> => {
    const result = await run(broker, topic, processes);
    console.log(JSON.stringify(result));
    return result;
  };
  const byProcesses: ScalingRun[] = [];
  const byUsers: ScalingRun[] = [];
  const whole = await fillTopic(broker, w1.users);
  const topics: Topic[] = [];
  for (const users of options.users.split(',').map(Number)) topics.push(await fillTopic(broker, users));
  // In turn, since the speed of machines drifts.
  for (let round = 0; round < rounds; round++) {
    for (const processes of [1, 2]) byProcesses.push(await measure(whole, processes));
    for (const topic of topics) byUsers.push(await measure(topic, 1));
  }
  report({ count, byProcesses, byUsers }, !options.print);
});
