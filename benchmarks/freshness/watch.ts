import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../app/clock.ts';
import { asSubjectId } from '../../core/index.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { makeSubjectReader } from '../../stream/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { sharedNow } from '../shared/clock.ts';
import { say, settingsOf, told } from '../shared/member.ts';
import { w1 } from '../w1/events.ts';
import { quantile } from '../w1/measure.ts';
import { stateAt } from '../w1/worker.ts';
import { eventsIn, intendedAt, type Load, loadEvents } from './load.ts';

export interface WatchReport {
  readonly probes: number;
  readonly ms: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };
  /** By second of the run: a pause shows here and not in a quantile. */
  readonly worstSecondP99: number;
  /** Without the first `startSeconds`, in which all processes are still being compiled. */
  readonly steadyP99: number;
  readonly startSeconds: number;
  /** Between two looks at the state: how much later than it was readable an event may be counted. */
  readonly lookMs: { readonly p50: number; readonly p99: number };
}

/**
 * Another process than the worker, which reads features from Redis as any reader does. The n-th event of a user is
 * readable as soon as the user's `count_24h` is n or more: a partition is in order and the count takes in every event,
 * late ones too. Each probe (a random event in so many) is looked for from its intended send time on, about every
 * millisecond, until it is there; the time after the read counts. Reading all events' users would take the processor
 * from what is measured.
 */
const probesPerSecond = 400;
const givesUpMs = 60_000;
const startSeconds = 10;
const { redis, load } = settingsOf<{ redis: string; load: Load }>();
const features = makeFeatureSet(await loadWorkspace(load.workspace));
const store = stateAt(redis);
const reader = makeSubjectReader({ store, features, partitions: w1.partitions, clock: systemClock });

interface Probe {
  readonly user: string;
  readonly count: number;
  readonly at: number;
}
const probes: Probe[] = [];
const counts = new Map<string, number>();
const every = Math.max(1, load.rate / probesPerSecond);
let index = 0;
for (const { user } of await loadEvents(load)) {
  const count = (counts.get(user) ?? 0) + 1;
  counts.set(user, count);
  if (Math.random() * every < 1) probes.push({ user, count, at: intendedAt(load, index) });
  index++;
}
await store.head(0);
const begin = told('begin');
await say({ say: 'ready' });
const startAt = (await begin).at as number;

const bySecond: number[][] = Array.from({ length: Math.ceil(load.seconds) }, () => []);
const looks: number[] = [];
let waiting: Probe[] = [];
let next = 0;
let before = 0;
const until = eventsIn(load) / (load.rate / 1_000) + givesUpMs;
while (next < probes.length || waiting.length > 0) {
  const now = sharedNow() - startAt;
  if (now > until)
    throw new Error(`${waiting.length} events were not readable ${givesUpMs} ms after the last`);
  for (let probe = probes[next]; probe !== undefined && probe.at <= now; probe = probes[++next])
    waiting.push(probe);
  if (waiting.length > 0) {
    const users = [...new Set(waiting.map(({ user }) => user))];
    const read = await reader.read(
      'acme',
      users.map((user) => asSubjectId(`u:${user}`)),
      'newest',
    );
    const seenAt = sharedNow() - startAt;
    const seen = new Map(users.map((user, i) => [user, Number(read[i]?.features.count_24h ?? 0)]));
    waiting = waiting.filter(({ user, count, at }) => {
      if ((seen.get(user) ?? 0) < count) return true;
      bySecond[Math.floor(at / 1_000)]?.push(seenAt - at);
      return false;
    });
    looks.push(seenAt - before);
    before = seenAt;
  } else before = now;
  await wait(1);
}
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const all = sorted(bySecond.flat());
const gaps = sorted(looks);
const report: WatchReport = {
  probes: all.length,
  ms: {
    p50: quantile(all, 0.5),
    p90: quantile(all, 0.9),
    p99: quantile(all, 0.99),
    max: all.at(-1) ?? 0,
  },
  worstSecondP99: Math.max(...bySecond.map((some) => quantile(sorted(some), 0.99))),
  steadyP99: quantile(sorted(bySecond.slice(startSeconds).flat()), 0.99),
  startSeconds,
  lookMs: { p50: quantile(gaps, 0.5), p99: quantile(gaps, 0.99) },
};
await say({ say: 'done', report });
await store.close();
process.exit(0);
