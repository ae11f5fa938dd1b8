import { Registry } from 'prom-client';
import { warmUp } from '../../stream/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { w1Log } from '../w1/fill.ts';
import { cpuSeconds, peakMemoryMb, quantile } from '../w1/measure.ts';
import { profiled } from '../w1/profile.ts';
import { benchWorker } from '../w1/worker.ts';
import { sharedNow } from './clock.ts';
import { say, settingsOf, told } from './member.ts';

export interface WorkerSettings {
  readonly broker: string;
  readonly prefix: string;
  readonly redis: string;
  /** The folder of a workspace; W1's if left out. */
  readonly workspace?: string;
  /** Whether it warms up before it begins. */
  readonly isWarm?: boolean;
}

export interface WorkerReport {
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly records: number;
  readonly batches: number;
  readonly cacheMisses: number;
  /** From the append (the broker's clock) of a commit's oldest record until its answer, by commit. */
  readonly commitMs: { readonly p50: number; readonly p99: number };
  /** When the first record came and the last commit was made, on the shared clock. */
  readonly first: number;
  readonly last: number;
}

/** A worker process of its own: says `ready` when it has its partitions, and `done` after it was told to `stop`. */
const { broker, prefix, redis, workspace, isWarm = false } = settingsOf<WorkerSettings>();
const log = await w1Log(broker, prefix);
const registry = new Registry();
let first = Number.POSITIVE_INFINITY;
let last = 0;
let records = 0;
let batches = 0;
const commitMs: number[] = [];
const timed: typeof log = {
  ...log,
  subscribe: (options) =>
    log.subscribe({
      ...options,
      onAssigned: (reader) =>
        options.onAssigned({
          partition: reader.partition,
          async next(limit, waitMs) {
            const some = await reader.next(limit, waitMs);
            if (some.length > 0) first = Math.min(first, sharedNow());
            return some;
          },
        }),
    }),
};
const { role, parts, done } = await benchWorker(timed, redis, [], {
  registry,
  onCommitted: (batch) => {
    last = sharedNow();
    records += batch.records;
    batches++;
    commitMs.push(batch.committedAt - batch.oldestAppendedAt);
  },
  ...(workspace === undefined ? {} : { workspace: await loadWorkspace(workspace) }),
});
done.catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
const stop = told('stop');
// As the program does before its first event.
if (isWarm) await warmUp(parts, 500);
await profiled(async () => {
  await role.start();
  while (role.health().state === 'starting') await new Promise((resolve) => setTimeout(resolve, 10));
  await say({ say: 'ready' });
  await stop;
});
const misses = await registry.getSingleMetric('presage_stream_cache_misses_total')?.get();
commitMs.sort((a, b) => a - b);
const report: WorkerReport = {
  cpuSeconds: cpuSeconds(),
  peakMemoryMb: peakMemoryMb(process.pid),
  records,
  batches,
  cacheMisses: misses?.values[0]?.value ?? 0,
  commitMs: { p50: quantile(commitMs, 0.5), p99: quantile(commitMs, 0.99) },
  first,
  last,
};
await say({ say: 'done', report });
await role.stop();
await log.close();
process.exit(0);
