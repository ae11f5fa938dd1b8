// One command for all benchmarks: npm run bench -- w1 [arguments]
import { spawnSync } from 'node:child_process';
import { bundle, root } from './bundle.mjs';

/** Benchmarks by name: the file to bundle, and what it shows. */
const benchmarks = {
  features: { file: 'features.ts', shows: 'feature state alone, no log and no Redis' },
  w1: {
    file: 'w1/kafka.ts',
    with: ['w1/run-worker.ts', 'w1/read-vectors.ts'],
    shows: 'W1 on a real broker, in turn with Kafka Streams; writes benchmarks/RESULTS.md',
  },
  freshness: {
    file: 'freshness/freshness.ts',
    with: ['freshness/generate.ts', 'freshness/watch.ts', 'shared/stream-worker.ts'],
    shows:
      'from the intended send time to the feature readable elsewhere, open loop: [--seconds 60] [--rates 1000,5000,10000]',
  },
  reads: {
    file: 'reads/reads.ts',
    with: ['reads/read.ts'],
    shows: 'features of 1 and of 100 subjects straight from Redis: [--events 1000000] [--reads 5000]',
  },
  scaling: {
    file: 'scaling/scaling.ts',
    with: ['shared/stream-worker.ts'],
    shows:
      '1 and 2 worker processes; cost an event from 10 thousand to a million users: [--events 1000000] [--users 10000,100000,1000000]',
  },
  builds: {
    file: 'builds/serving.ts',
    shows:
      'what is served while state is made anew, in turn with and without: [--events 100000] [--rounds 3] [--decisions 50] [--tracked 100]; needs npm run build',
  },
  decide: {
    file: 'decide/decide.ts',
    with: ['decide/serve.ts', 'decide/ask.ts'],
    shows:
      'POST /v1/decide at a fixed rate, healthy, with a slow scorer, with Redis stopped: [--rate 1000] [--seconds 20] [--fault 8]',
  },
  'decide-model': {
    file: 'decide/model.ts',
    shows:
      'decisions of 20 candidates with a forest of 100 trees, in one process: [--decisions 40000] [--rounds 5]',
  },
  hotels: {
    file: 'hotels/hotels.ts',
    shows: 'the ranker of examples/travel on the trivago log; writes examples/travel/README.md: FILE.csv.gz',
  },
  kernel: { file: 'kernel/kernel.ts', shows: 'decisions a second of one core, scores given: [seconds 3]' },
  'w1-memory': { file: 'w1/memory.ts', shows: 'W1 with records from memory, for profiles' },
};

const [name = '', ...rest] = process.argv.slice(2);
const found = benchmarks[name];
if (found === undefined) {
  console.error('usage: npm run bench -- <benchmark> [arguments]');
  for (const [known, { shows }] of Object.entries(benchmarks))
    console.error(`  ${known.padEnd(12)} ${shows}`);
  process.exit(2);
}
for (const other of found.with ?? []) await bundle(other);
const { status } = spawnSync(process.execPath, ['--enable-source-maps', await bundle(found.file), ...rest], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
