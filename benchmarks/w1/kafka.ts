import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBroker } from '../../scripts/kafka/broker.mjs';
import { rewritingDuring, withBenchRedis } from '../shared/redis.ts';
import { w1 } from './events.ts';
import { fill, w1Topic } from './fill.ts';
import { cpuSecondsOf } from './measure.ts';
import { type OurRun, type PeerRun, report } from './report.ts';
import { w1Workspace } from './worker.ts';

/**
 * W1 on a real broker, in turn with Kafka Streams: [events] [rounds] [--dedup] [--ours]. Both read the same topic; each
 * run begins cold, with an empty Redis or state folder. Writes benchmarks/RESULTS.md. `--dedup`: in
 * the last round the peer de-duplicates too, which takes it minutes. `--ours`: without the peer, for profiles; writes nothing.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { ours: { type: 'boolean', default: false }, dedup: { type: 'boolean', default: false } },
});
const count = Number(positionals[0] ?? w1.events);
const rounds = Number(positionals[1] ?? 3);
const ids = (await w1Workspace()).deduplicationIds;

/** Kafka Streams in the ways that one may run it: guarantee, remembered event ids a user, megabytes of write cache. */
const peers: Readonly<Record<string, readonly [guarantee: string, ids: number, cacheMb: number]>> = {
  'at-least-once': ['at_least_once', 0, 0],
  'exactly-once v2': ['exactly_once_v2', 0, 0],
  'at-least-once, 64 MB write cache': ['at_least_once', 0, 64],
  [`at-least-once, de-duplication by ${ids} ids`]: ['at_least_once', ids, 0],
};
/** Those that are run in every round. */
const inEveryRound = 3;
const here = join(process.cwd(), '.presage', 'bench');
const peer = join(process.cwd(), 'benchmarks', 'peers', 'kafka-streams');

/** Runs a program and returns the last line it printed, as JSON. */
function run(command: string, args: readonly string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      const last = output.trim().split('\n').at(-1) ?? '';
      if (code === 0 && last.startsWith('{')) resolve(JSON.parse(last));
      else reject(new Error(`${command} ended with ${code}: ${output.slice(-2_000)}`));
    });
  });
}

const ours = (broker: string, ends: readonly number[]): Promise<OurRun> =>
  withBenchRedis('always', async (redis) => {
    const before = cpuSecondsOf(redis.pid);
    const work = run(process.execPath, [join(here, 'run-worker.mjs'), broker, redis.url, ends.join(',')]);
    const worker = (await rewritingDuring(redis, work)) as Omit<
      OurRun,
      'redisCpuSeconds' | 'rewrites' | 'state'
    >;
    const redisCpuSeconds = cpuSecondsOf(redis.pid) - before;
    const rewrites = await redis.rewrites();
    const state = (await run(process.execPath, [
      join(here, 'read-vectors.mjs'),
      redis.url,
    ])) as OurRun['state'];
    return { ...worker, redisCpuSeconds, rewrites, state };
  });

async function theirs(broker: string, how: readonly [string, number, number]): Promise<PeerRun> {
  const folder = mkdtempSync(join(tmpdir(), 'presage-streams-'));
  try {
    return (await run('java', [
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      `${join(peer, 'target', 'w1.jar')}:${join(peer, 'target', 'lib', '*')}`,
      'w1.W1',
      ...[broker, w1Topic, String(count), folder, ...how.map(String)],
    ])) as PeerRun;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (!options.ours) execFileSync('mvn', ['-q', '-B', 'package'], { cwd: peer, stdio: 'inherit' });
const folder = mkdtempSync(join(tmpdir(), 'presage-w1-'));
const broker = await startBroker({ folder, heapMb: 1_024, quick: false });
try {
  const { digest, meanBytes, ends } = await fill(broker.address, count);
  console.log(`topic filled: ${count} events of ${meanBytes.toFixed(0)} bytes`);
  const runs = {
    ours: [] as OurRun[],
    peers: new Map<string, PeerRun[]>(),
  };
  for (let round = 1; round <= rounds; round++) {
    const mine = await ours(broker.address, ends);
    runs.ours.push(mine);
    console.log(`round ${round}, ours: ${JSON.stringify(mine)}`);
    if (mine.state.digest !== digest) throw new Error('WRONG: our final vectors differ from the reference');
    if (options.ours) continue;
    for (const [name, how] of Object.entries(peers).slice(
      0,
      options.dedup && round === rounds ? undefined : inEveryRound,
    )) {
      const other = await theirs(broker.address, how);
      runs.peers.set(name, [...(runs.peers.get(name) ?? []), other]);
      console.log(`round ${round}, Kafka Streams ${name}: ${JSON.stringify(other)}`);
      if (other.digest !== digest) throw new Error(`WRONG: vectors of Kafka Streams ${name} differ`);
    }
  }
  if (!options.ours) console.log(report({ ...runs, ids, count, meanBytes, digest }));
} finally {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}
