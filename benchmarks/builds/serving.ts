import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { BuildStatus } from '../../gateway/index.ts';
import { feedLines, linesWithVisitors, parityWorkspaces } from '../../tests/support/builds.ts';
import { makeHome, type Program, startProgram } from '../../tests/support/program.ts';

/**
 * What a rebuild costs those who are served meanwhile: open loop, decisions on request and events, without and with a
 * build in turn in one run. Times are from the intended send to the answer; of events from append to commit, by the
 * program's own histogram.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    decisions: { type: 'string', default: '50' },
    tracked: { type: 'string', default: '100' },
  },
});
const [events, rounds, decisionsPerSecond, trackedPerSecond] = [
  values.events,
  values.rounds,
  values.decisions,
  values.tracked,
].map(Number) as [number, number, number, number];
const metric = 'presage_stream_event_to_commit_seconds_bucket';

interface Served {
  readonly decideMs: number[];
  /** Upper bounds of the histogram in seconds, and how many events more were at most so late. */
  readonly commits: Map<number, number>;
  readonly seconds: number;
}

const home = await makeHome();
const folder = join(home.folder, 'workspace');
await mkdir(folder);
await writeFile(join(folder, 'presage.yaml'), (await parityWorkspaces()).full);
const program = await startProgram(home, folder);
try {
  const [lines = []] = linesWithVisitors(events, [1]);
  const fed = await feedLines(home, 'events.jsonl', lines);
  if (fed.out === '') throw new Error(fed.err);
  const { key } = await program.ask<{ key: string }>('/api/keys', {
    tenant: 'acme',
    kind: 'secret',
    scopes: ['write'],
    name: 'bench',
  });
  await serve(program, key, async () => pause(3_000));
  const without: Served[] = [];
  const during: Served[] = [];
  for (let round = 0; round < rounds; round++) {
    const built = await serve(program, key, async () => {
      await program.ask('/api/builds', { kind: 'rebuild' });
      while ((await program.ask<BuildStatus>('/api/builds')).build !== null) await pause(200);
    });
    during.push(built);
    without.push(await serve(program, key, async () => pause(Math.max(5, built.seconds) * 1_000)));
  }
  const [quiet, building] = [summary(without), summary(during)];
  console.log(JSON.stringify({ events, decisionsPerSecond, trackedPerSecond, quiet, building }, null, 2));
} finally {
  await program.stop();
  await home.remove();
}

/** Load for as long as `until` takes. */
async function serve(at: Program, key: string, until: () => Promise<void>): Promise<Served> {
  const before = await histogram(at);
  const decideMs: number[] = [];
  const waiting = new Set<Promise<void>>();
  let isOver = false;
  const begun = performance.now();
  const send = (path: string, body: object, took: (ms: number) => void, intended: number): void => {
    const sent = fetch(`${at.address}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
      .then(async (response) => {
        await response.text();
        took(performance.now() - intended);
      })
      .catch(() => {});
    waiting.add(sent);
    void sent.finally(() => waiting.delete(sent));
  };
  async function loop(perSecond: number, one: (count: number, intended: number) => void): Promise<void> {
    for (let count = 0; !isOver; count++) {
      const intended = begun + (count * 1_000) / perSecond;
      const left = intended - performance.now();
      if (left > 0) await pause(left);
      one(count, intended);
    }
  }
  const loops = [
    loop(decisionsPerSecond, (count, intended) =>
      send(
        '/v1/decide',
        { userId: `p${count % 500}`, placement: 'banner' },
        (ms) => decideMs.push(ms),
        intended,
      ),
    ),
    loop(trackedPerSecond, (count, intended) =>
      send(
        '/v1/track',
        { userId: `p${count % 500}`, event: 'view', properties: { item: 'tent', price: 12 } },
        () => {},
        intended,
      ),
    ),
  ];
  await until();
  isOver = true;
  await Promise.all([...loops, ...waiting]);
  const seconds = (performance.now() - begun) / 1_000;
  const after = await histogram(at);
  const commits = new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
  return { decideMs, commits, seconds };
}

async function histogram(at: Program): Promise<Map<number, number>> {
  const response = await fetch(`${at.address}/metrics`, {
    headers: { authorization: `Bearer ${await at.token()}` },
  });
  const buckets = new Map<number, number>();
  for (const line of (await response.text()).split('\n')) {
    if (!line.startsWith(metric)) continue;
    const bound = /le="([^"]+)"/.exec(line)?.[1] ?? '';
    buckets.set(bound === '+Inf' ? Infinity : Number(bound), Number(line.slice(line.lastIndexOf(' '))));
  }
  return buckets;
}

function summary(all: readonly Served[]) {
  const sorted = all.flatMap(({ decideMs }) => decideMs).sort((a, b) => a - b);
  const at = (share: number): number => Number((sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1));
  const commits = new Map<number, number>();
  for (const one of all)
    for (const [bound, count] of one.commits) commits.set(bound, (commits.get(bound) ?? 0) + count);
  const total = commits.get(Infinity) ?? 0;
  const within = (share: number): number =>
    [...commits].sort(([a], [b]) => a - b).find(([, count]) => count >= share * total)?.[0] ?? 0;
  return {
    seconds: Number(all.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1)),
    decisions: sorted.length,
    decideMs: { p50: at(0.5), p99: at(0.99), most: at(0.9999) },
    batches: total,
    eventToCommitAtMostMs: { p50: within(0.5) * 1_000, p99: within(0.99) * 1_000 },
  };
}
