import { readFileSync } from 'node:fs';
import { systemClock } from '../../app/clock.ts';
import { asSubjectId } from '../../core/index.ts';
import { makeSubjectReader, warmUp } from '../../stream/index.ts';
import { memoryLog } from '../../stream/log/index.ts';
import { say, settingsOf } from '../shared/member.ts';
import { w1 } from '../w1/events.ts';
import { quantile } from '../w1/measure.ts';
import { vectorOf } from '../w1/vectors.ts';
import { benchWorker } from '../w1/worker.ts';

export interface ReadSettings {
  readonly redis: string;
  /** A file with what must be read, by user. */
  readonly vectors: string;
  readonly subjects: number;
  readonly reads: number;
}

export interface ReadReport {
  readonly subjects: number;
  readonly reads: number;
  /** The first read of the process; it counts among the others too. */
  readonly firstMs: number;
  readonly ms: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

/**
 * Reads features of random users, one read after the other, in a process of its own without any cache, which has been
 * warmed up as the product is at its start: what is timed is from the question to the values. Every value is compared
 * with the reference after it was timed.
 */
const { redis, vectors, subjects, reads } = settingsOf<ReadSettings>();
const wanted = JSON.parse(readFileSync(vectors, 'utf8')) as Record<string, string>;
const users = Object.keys(wanted);
const log = memoryLog({ partitions: w1.partitions, clock: systemClock });
const { parts, store } = await benchWorker(log, redis, []);
await warmUp(parts, 500);
const reader = makeSubjectReader({ ...parts, store });
await store.head(0);

const times: number[] = [];
for (let i = 0; i < reads; i++) {
  const asked = Array.from({ length: subjects }, () => users[Math.floor(Math.random() * users.length)] ?? '');
  const ids = asked.map((user) => asSubjectId(`u:${user}`));
  const begun = performance.now();
  const read = await reader.read('acme', ids, 'newest');
  times.push(performance.now() - begun);
  for (const [at, user] of asked.entries()) {
    const one = read[at];
    const vector = one ? vectorOf(one.at, one.features) : 'nothing';
    if (vector !== wanted[user])
      throw new Error(`WRONG: read ${vector} of ${user}, expected ${wanted[user]}`);
  }
}
const firstMs = times[0] ?? 0;
times.sort((a, b) => a - b);
const report: ReadReport = {
  subjects,
  reads,
  firstMs,
  ms: {
    p50: quantile(times, 0.5),
    p90: quantile(times, 0.9),
    p99: quantile(times, 0.99),
    p999: quantile(times, 0.999),
    max: times.at(-1) ?? 0,
  },
};
await say({ say: 'done', report });
await store.close();
process.exit(0);
