import { circumstances, publish } from '../shared/results.ts';
import type { WorkerReport } from '../shared/stream-worker.ts';
import { trust, verdict } from '../shared/verdict.ts';
import type { GeneratorReport } from './generate.ts';
import { rehearsalSeconds } from './load.ts';
import type { WatchReport } from './watch.ts';

export interface FreshnessRun {
  readonly rate: number;
  readonly seconds: number;
  readonly rewrites: number;
  readonly generated: GeneratorReport;
  readonly worked: WorkerReport;
  readonly watched: WatchReport;
}

const ms = (value: number): string => value.toFixed(1);

/** The part of benchmarks/RESULTS.md about freshness. */
export function report(runs: readonly FreshnessRun[], fsync: string, isKept: boolean): void {
  const rows = runs.map(({ rate, rewrites, generated, worked, watched }) => {
    const misses = `${generated.missed} (worst ${ms(generated.worstLateMs)} ms)`;
    const perCommit = (worked.records / Math.max(1, worked.batches)).toFixed(1);
    const cpu = (worked.cpuSeconds / (worked.records / 1e6)).toFixed(0);
    const { p50, p90, p99, max } = watched.ms;
    return `| ${rate.toLocaleString('en-US')} | ${[p50, p90, p99, watched.steadyP99, max, watched.worstSecondP99].map(ms).join(' | ')} | ${misses} | ${watched.probes} | ${perCommit} | ${cpu} | ${rewrites} |`;
  });
  const stages = runs.map(({ rate, generated, worked }) => {
    const { appendMs } = generated;
    const figures = [appendMs.p50, appendMs.p99, worked.commitMs.p50, worked.commitMs.p99].map(ms);
    return `| ${rate.toLocaleString('en-US')} | ${figures.join(' | ')} |`;
  });
  const bars = runs
    .filter(({ rate }) => rate === 5_000)
    .map(({ watched }) =>
      verdict({
        what: 'p99 at 5,000 events/s',
        value: watched.ms.p99,
        target: 20,
        least: 50,
        unit: ' ms',
        better: 'lower',
      }),
    );
  const { seconds, generated, watched } = runs.at(-1) as FreshnessRun;
  const text = [
    `${seconds} s at each rate. Milliseconds from an event's intended send time until another process reads it in a feature.`,
    '',
    '| events/s | p50 | p90 | p99 | p99 later | max | p99 of the worst second | generator misses | probes | events a commit | worker CPU-s per million | rewrites of the append-only file |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '| events/s | intended send time to the log: p50 | p99 | log to commit: p50 | p99 |',
    '|---|---|---|---|---|',
    ...stages,
    '',
    `The worker warms up for half a second, as the program does, and begins without any state; "p99 later" leaves out the first ${watched.startSeconds} s. Generator and broker did ${rehearsalSeconds} s of the same on another topic before. A miss is an event given to the producer more than ${generated.missMs} ms late; its delay is in the latency. The watcher looked every ${ms(watched.lookMs.p50)} ms (p99 ${ms(watched.lookMs.p99)} ms), which is in the latency too. The stages are by call and by commit. Nothing was dropped: the final features of all users equal the batch reference in every run.`,
    '',
    ...bars,
    '',
    trust(),
    '',
    circumstances(fsync),
  ].join('\n');
  publish('freshness', text, isKept);
}
