import { w1Log } from './fill.ts';
import { cpuSeconds, peakMemoryMb } from './measure.ts';
import { profiled } from './profile.ts';
import { benchWorker } from './worker.ts';

/** One worker process of W1: <broker> <redis> <records of each partition>. Prints a line of JSON when all is committed. */
const [broker = '', redis = '', ends = ''] = process.argv.slice(2);
const log = await w1Log(broker);
let first = 0;
const timed: typeof log = {
  ...log,
  // The topic is that of all runs, ours and the peer's, so ticks do not go into it.
  append: async () => [],
  subscribe: (options) =>
    log.subscribe({
      ...options,
      onAssigned: (reader) =>
        options.onAssigned({
          partition: reader.partition,
          async next(limit, waitMs) {
            const records = await reader.next(limit, waitMs);
            if (first === 0 && records.length > 0) first = performance.now();
            return records;
          },
        }),
    }),
};
const { role, done } = await benchWorker(timed, redis, ends.split(',').map(Number));
const { batches, decisions } = await profiled(async () => {
  await role.start();
  return done;
});
const seconds = (performance.now() - first) / 1_000;
console.log(
  JSON.stringify({
    seconds,
    cpuSeconds: cpuSeconds(),
    peakMemoryMb: peakMemoryMb(process.pid),
    batches,
    decisions,
  }),
);
await role.stop();
await log.close();
process.exit(0);
