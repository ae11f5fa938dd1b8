import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withBroker } from '../shared/broker.ts';
import { sharedNow } from '../shared/clock.ts';
import { type Member, startMember } from '../shared/member.ts';
import { type BenchRedis, withBenchRedis } from '../shared/redis.ts';
import type { WorkerReport } from '../shared/stream-worker.ts';
import { w1 } from '../w1/events.ts';
import { digestOf, Reference } from '../w1/reference.ts';
import { finalState } from '../w1/vectors.ts';
import { stateAt } from '../w1/worker.ts';
import type { GeneratorReport } from './generate.ts';
import { type Load, loadEvents } from './load.ts';
import { type FreshnessRun, report } from './report.ts';
import type { WatchReport } from './watch.ts';
import { writeWorkspace } from './workspace.ts';

/**
 * How soon an event is in a feature that another process reads, at a fixed rate. Four processes beside the broker and
 * Redis: generator, worker, watcher, and this one, which compares the end with the batch reference.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rates: { type: 'string', default: '1000,5000,10000' },
    fsync: { type: 'string', default: 'always' },
    broker: { type: 'string' },
    cold: { type: 'boolean', default: false },
    print: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const fsync = options.fsync === 'everysec' ? 'everysec' : 'always';
const folder = mkdtempSync(join(tmpdir(), 'presage-freshness-'));

async function run(broker: string, redis: BenchRedis, rate: number): Promise<FreshnessRun> {
  const load: Load = { rate, seconds, epoch: Date.now(), workspace: folder };
  const prefix = `freshness-${rate}-${load.epoch}.`;
  const members: Member[] = [];
  const start = (bundle: string, settings: object): Member => {
    const member = startMember(bundle, settings);
    members.push(member);
    return member;
  };
  try {
    const worker = start('stream-worker', {
      broker,
      prefix,
      redis: redis.url,
      workspace: folder,
      isWarm: !options.cold,
    });
    const generator = start('generate', { broker, prefix, load });
    const watcher = start('watch', { redis: redis.url, load });
    await Promise.all([worker, generator, watcher].map((member) => member.heard('ready')));
    const at = sharedNow() + 500;
    for (const member of [generator, watcher]) member.tell({ say: 'begin', at });
    // In the middle of the load, so that what a rewrite of the append-only file costs is in the figures.
    const rewritten = wait(500 + (seconds * 1_000) / 2).then(() => redis.rewrite());
    const [sent, watched] = await Promise.all([generator.heard('done'), watcher.heard('done')]);
    await rewritten;
    const generated = sent.report as GeneratorReport;
    await untilCommitted(redis.url, generated.ends);
    worker.tell({ say: 'stop' });
    const worked = (await worker.heard('done')).report as WorkerReport;
    const reference = new Reference();
    for (const event of await loadEvents(load)) reference.add(event);
    const wanted = digestOf(reference.vectors());
    const { vectors } = await finalState(redis.url);
    if (digestOf(vectors) !== wanted)
      throw new Error(`WRONG at ${rate}/s: final features differ from the batch reference`);
    const rewrites = await redis.rewrites();
    if (rewrites < 1) throw new Error('the append-only file was never rewritten');
    return { rate, seconds, rewrites, generated, worked, watched: watched.report as WatchReport };
  } finally {
    await Promise.all(members.map((member) => member.stop()));
  }
}

async function untilCommitted(url: string, ends: readonly number[]): Promise<void> {
  const store = stateAt(url);
  for (let partition = 0; partition < w1.partitions; partition++)
    while ((await store.head(partition)).position < (ends[partition] ?? 0)) await wait(20);
  await store.close();
}

try {
  await writeWorkspace(folder);
  await withBroker(options.broker, async (broker) => {
    const runs: FreshnessRun[] = [];
    for (const rate of options.rates.split(',').map(Number)) {
      const result = await withBenchRedis(fsync, (redis) => run(broker, redis, rate));
      console.log(JSON.stringify(result));
      runs.push(result);
    }
    report(runs, fsync, !options.print);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
