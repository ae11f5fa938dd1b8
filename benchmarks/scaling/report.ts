import { circumstances, publish } from '../shared/results.ts';
import { spread, trust, verdict } from '../shared/verdict.ts';

export interface ScalingRun {
  readonly processes: number;
  readonly population: number;
  readonly users: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly redisCpuSeconds: number;
  /** Of the process with the most. */
  readonly peakMemoryMb: number;
  /** Subjects that were not in a worker's memory when an event came. */
  readonly misses: number;
  readonly batches: number;
  /** Of all events, by process. */
  readonly shares: readonly number[];
  readonly rewrites: number;
  readonly blobBytes: { readonly p50: number; readonly p99: number; readonly max: number };
}

interface Runs {
  readonly count: number;
  readonly byProcesses: readonly ScalingRun[];
  readonly byUsers: readonly ScalingRun[];
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/** The part of benchmarks/RESULTS.md about scaling. */
export function report({ count, byProcesses, byUsers }: Runs, isKept: boolean): void {
  const million = count / 1e6;
  const total = (run: ScalingRun): number => (run.cpuSeconds + run.redisCpuSeconds) / million;
  const figures = (runs: readonly ScalingRun[]): string => {
    const of = (value: (run: ScalingRun) => number): number => median(runs.map(value));
    return [
      number(count / of((run) => run.seconds)),
      of((run) => run.cpuSeconds / million).toFixed(1),
      of((run) => run.redisCpuSeconds / million).toFixed(1),
      number(of((run) => run.peakMemoryMb)),
      number(of((run) => run.batches)),
    ].join(' | ');
  };
  const columns =
    'events/s | worker CPU-s per million | Redis CPU-s per million | peak memory MB, a process | commits';
  const processRows = [...groups(byProcesses, (run) => run.processes)].map(([processes, runs]) => {
    const shares = runs.map((run) => run.shares.map((share) => `${Math.round(share * 100)}%`).join(' + '));
    return `| ${processes} | ${figures(runs)} | ${shares.join(', ')} |`;
  });
  const users = [...groups(byUsers, (run) => run.population)];
  const least = median((users[0]?.[1] ?? []).map(total));
  const userRows = users.map(([population, runs]) => {
    const { blobBytes, misses, users: seen } = runs[0] as ScalingRun;
    const ratio = median(runs.map(total)) / least;
    return `| ${number(population)} (${number(seen)}) | ${figures(runs)} | ${ratio.toFixed(2)}x | ${(misses / count).toFixed(2)} | ${blobBytes.p50} / ${blobBytes.p99} / ${blobBytes.max} |`;
  });
  const short =
    count < 1e6
      ? ` A short set: the start of a process alone weighs ${(1e6 / count).toFixed(0)} to ${((2 * 1e6) / count).toFixed(0)} CPU-seconds per million here.`
      : '';
  const most = median((users.at(-1)?.[1] ?? []).map(total)) / least;
  const what = `cost an event with ${number(users.at(-1)?.[0] ?? 0)} users to that with ${number(users[0]?.[0] ?? 0)}`;
  const widest = Math.max(
    ...[...users, ...groups(byProcesses, (run) => run.processes)].map(([, runs]) =>
      spread(runs.map((run) => run.seconds)),
    ),
  );
  const text = [
    `${number(count)} events of W1 in a topic of 4 partitions; ${byProcesses.length / 2} runs of each in turn, medians. CPU is of whole processes, their start included.`,
    '',
    `| worker processes | ${columns} | share of the events, by run |`,
    '|---|---|---|---|---|---|---|',
    ...processRows,
    '',
    `| users (with an event) | ${columns} | cost an event to the fewest users | cache misses an event | blob bytes p50 / p99 / max |`,
    '|---|---|---|---|---|---|---|---|---|',
    ...userRows,
    '',
    `Rewrites of the append-only file in a run: ${[...byProcesses, ...byUsers].map((run) => run.rewrites).join(', ')}. Every run gave the final features of the batch reference.`,
    '',
    verdict({ what, value: most, target: 2, least: 2, unit: 'x', better: 'lower' }),
    '',
    `${trust()} Rates of one set-up differed up to ${widest.toFixed(1)}-fold between runs.${short}`,
    '',
    circumstances('always'),
  ].join('\n');
  publish('scaling', text, isKept);
}

function groups<K>(runs: readonly ScalingRun[], keyOf: (run: ScalingRun) => K): Map<K, ScalingRun[]> {
  const all = new Map<K, ScalingRun[]>();
  for (const run of runs) all.set(keyOf(run), [...(all.get(keyOf(run)) ?? []), run]);
  return all;
}
