import type { Clock } from '../core/index.ts';
import type { Throughput } from '../schemas/index.ts';
import { limits } from './limits.ts';

/**
 * The last 15 minutes, second by second, for the console. Whoever does the work tells it; all calls are cheap and
 * never throw. Memory is fixed: 900 seconds of two 80-bucket histograms, about 0.6 MB.
 */
export interface ThroughputRecorder {
  /** A committed batch: how many records and decisions, and milliseconds from append to commit. */
  committed(records: number, decisions: number, latencyMs: number): void;
  /** An offer handed to a live socket, milliseconds after its event's append. */
  pushed(latencyMs: number): void;
  /** Whole seconds only, oldest first; quiet ones are there with zeros. Percentiles are within 13%. */
  read(): Throughput;
}

/** Bucket i covers 0.1 ms * 1.25^i: 80 of them reach beyond an hour. */
const buckets = 80;
const firstMs = 0.1;
const growth = Math.log(1.25);
const bucketOf = (ms: number): number =>
  ms <= firstMs ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / firstMs) / growth));
/** The geometric middle of a bucket. */
const middleOf = (bucket: number): number => round(firstMs * Math.exp(growth * (bucket - 0.5)));
const round = (ms: number): number => Number(ms.toPrecision(3));

interface Second {
  at: number;
  events: number;
  decisions: number;
  pushed: number;
  readonly commit: Uint32Array;
  readonly push: Uint32Array;
}

export function makeThroughput(clock: Clock): ThroughputRecorder {
  const ring: Second[] = Array.from({ length: limits.throughputSeconds + 1 }, () => ({
    at: -1,
    events: 0,
    decisions: 0,
    pushed: 0,
    commit: new Uint32Array(buckets),
    push: new Uint32Array(buckets),
  }));
  let first: number | null = null;

  function now(): Second | undefined {
    const at = Math.floor(clock.now() / 1_000);
    first ??= at;
    const second = ring[at % ring.length];
    if (second !== undefined && second.at !== at) {
      second.at = at;
      second.events = second.decisions = second.pushed = 0;
      second.commit.fill(0);
      second.push.fill(0);
    }
    return second;
  }

  const add = (histogram: Uint32Array, ms: number, count: number): void => {
    const bucket = bucketOf(ms);
    histogram[bucket] = (histogram[bucket] ?? 0) + count;
  };

  return {
    committed: (records, decisions, latencyMs) => {
      const second = now();
      if (second === undefined) return;
      second.events += records;
      second.decisions += decisions;
      add(second.commit, latencyMs, records);
    },
    pushed: (latencyMs) => {
      const second = now();
      if (second === undefined) return;
      second.pushed++;
      add(second.push, latencyMs, 1);
    },
    read: () => {
      const end = Math.floor(clock.now() / 1_000);
      const start = Math.max(first ?? end, end - limits.throughputSeconds);
      const points: Throughput['points'][number][] = [];
      for (let at = start; at < end; at++) {
        const kept = ring[at % ring.length];
        const second = kept?.at === at ? kept : undefined;
        points.push({
          at: at * 1_000,
          events: second?.events ?? 0,
          decisions: second?.decisions ?? 0,
          pushed: second?.pushed ?? 0,
          commitP50: quantile(second?.commit, 0.5),
          commitP99: quantile(second?.commit, 0.99),
          pushP50: quantile(second?.push, 0.5),
          pushP99: quantile(second?.push, 0.99),
        });
      }
      return { points };
    },
  };
}

function quantile(histogram: Uint32Array | undefined, q: number): number | null {
  if (histogram === undefined) return null;
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = Math.ceil(total * q);
  for (const [bucket, count] of histogram.entries()) {
    left -= count;
    if (left <= 0) return middleOf(bucket);
  }
  return null;
}
