import { circumstances, place } from '../shared/results.ts';
import { isShared, spread, trust, verdict } from '../shared/verdict.ts';

export interface OurRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly redisCpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly batches: number;
  /** That timers asked for. */
  readonly decisions: number;
  /** Rewrites of the append-only file while it ran. */
  readonly rewrites: number;
  readonly state: {
    readonly digest: string;
    readonly users: number;
    readonly blobBytes: { readonly p50: number; readonly p99: number; readonly max: number };
  };
}

export interface PeerRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly digest: string;
}

interface Runs {
  readonly count: number;
  /** Event ids that we remember of a subject. */
  readonly ids: number;
  readonly meanBytes: number;
  readonly digest: string;
  readonly ours: readonly OurRun[];
  readonly peers: ReadonlyMap<string, readonly PeerRun[]>;
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Writes the part of benchmarks/RESULTS.md about W1, and returns it. */
export function report({ count, ids, meanBytes, digest, ours, peers }: Runs): string {
  const million = count / 1e6;
  const rates = (seconds: readonly number[]): string =>
    `${Math.round(count / median(seconds)).toLocaleString('en-US')} (${seconds.map((s) => Math.round(count / s / 1_000)).join(', ')} thousand)`;
  const cpu = median(ours.map((run) => (run.cpuSeconds + run.redisCpuSeconds) / million));
  const ownCpu = median(ours.map((run) => run.cpuSeconds / million));
  const redisCpu = median(ours.map((run) => run.redisCpuSeconds / million));
  const seconds = median(ours.map((run) => run.seconds));
  const { blobBytes, users } = (ours.at(-1) as OurRun).state;
  const rows = [...peers].map(([name, runs]) => {
    const peerSeconds = runs.map((run) => run.seconds);
    const peerCpu = median(runs.map((run) => run.cpuSeconds / million));
    const rate = median(peerSeconds) / seconds;
    const share = cpu / peerCpu;
    return {
      name,
      rate,
      share,
      spread: spread(peerSeconds),
      row: `| Kafka Streams 4.1, ${name} | ${rates(peerSeconds)} | ${peerCpu.toFixed(1)} | ${median(runs.map((run) => run.peakMemoryMb))} | ${rate.toFixed(2)}x | ${share.toFixed(2)}x |`,
    };
  });
  const bars = rows.slice(0, 1).flatMap(({ name, rate, share }) => [
    verdict({
      what: `rate to Kafka Streams ${name}`,
      value: rate,
      target: 2.5,
      least: 1.3,
      unit: 'x',
      better: 'higher',
    }),
    verdict({
      what: `CPU to Kafka Streams ${name}`,
      value: share,
      target: 1 / 3,
      least: 0.7,
      unit: 'x',
      better: 'lower',
    }),
  ]);
  const widest = Math.max(spread(ours.map((run) => run.seconds)), ...rows.map((row) => row.spread));
  const text = [
    `${count.toLocaleString('en-US')} events of ${meanBytes.toFixed(0)} bytes in 4 partitions, ${users.toLocaleString('en-US')} users, 20 features; ${ours.length} runs of each in turn, medians (all runs in brackets).`,
    '',
    '| | events/s | CPU-s per million | peak memory MB | our rate to it | our CPU to it |',
    '|---|---|---|---|---|---|',
    `| Presage, one worker process, exactly-once, timers on, ${ids} ids | ${rates(ours.map((run) => run.seconds))} | ${cpu.toFixed(1)} (worker ${ownCpu.toFixed(1)}, Redis ${redisCpu.toFixed(1)}) | ${median(ours.map((run) => run.peakMemoryMb))} | | |`,
    ...rows.map(({ row }) => row),
    '',
    `Blobs: p50 ${blobBytes.p50}, p99 ${blobBytes.p99}, max ${blobBytes.max} bytes. Commits: ${median(ours.map((run) => run.batches))}, with ${number(median(ours.map((run) => run.decisions)))} decisions that timers asked for. Rewrites of the append-only file during our runs: ${ours.map((run) => run.rewrites).join(', ')}.`,
    `Every run, ours and theirs, gave the digest of the batch reference: ${digest.slice(0, 16)}.`,
    '',
    'Against the bars of the first row of Kafka Streams:',
    '',
    ...bars,
    '',
    `${trust()} Rates of one program differed up to ${widest.toFixed(1)}-fold between runs.${isShared ? ' One busy thread gets a smaller share of a busy machine than the many threads of the peer, so rates favour the peer here; CPU-seconds do not.' : ''}`,
    '',
    circumstances('always'),
  ].join('\n');
  place('w1', text);
  return text;
}
