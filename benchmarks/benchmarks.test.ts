import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithKafka, startTestKafka, type TestKafka } from '../tests/support/kafka.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a benchmark in a short form that writes nothing down, and returns what it printed. */
function bench(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['benchmarks/run.mjs', ...args, '--print'], { cwd: root });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`bench ${args.join(' ')} ended with ${code}:\n${output}`)),
    );
  });
}

describe('the benchmark of reads', () => {
  it('reads exact features of 1 and of 100 subjects', async () => {
    const output = await bench('reads', '--events', '5000', '--reads', '50');
    expect(output).toMatch(/^\| 1 \| [\d.]+ \|/m);
    expect(output).toMatch(/^\| 100 \| [\d.]+ \|/m);
    expect(output).toContain('equal the batch reference');
  });
});

describe('the benchmarks of decisions', () => {
  it('decide with a forest of 100 trees, all on the champion', async () => {
    const output = await bench('decide-model', '--decisions', '400', '--rounds', '1');
    expect(output).toMatch(/^\| 32 \| [\d,]+ \| .* \| champion 400 \|$/m);
  });

  it('ask over HTTP, with a slow scorer and with Redis stopped, and have an answer each time', async () => {
    const short = ['--seconds', '1', '--fault', '1', '--after', '1', '--rate', '30', '--subjects', '50'];
    const output = await bench('decide', ...short);
    for (const phase of ['healthy', 'scorer slowed to 200 ms', 'Redis stopped', 'after it'])
      expect(output).toMatch(new RegExp(`^\\| ${phase} \\| 30 \\| .* \\| 200: 30 \\|$`, 'm'));
  });
});

describe('the benchmark of the kernel', () => {
  it('tells decisions a second, with and without expressions of the candidate, and drawn', async () => {
    const output = await bench('kernel', '0.1');
    expect(output.match(/[\d,]+ decisions\/s of a core$/gm)).toHaveLength(3);
  });
});

describeWithKafka('the benchmarks on Kafka', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startTestKafka({ settings: { 'group.initial.rebalance.delay.ms': 1_000 } });
  });
  afterAll(() => kafka?.stop());

  it('measures freshness at a fixed rate, with timers, and finds every event in the features', async () => {
    const output = await bench('freshness', '--seconds', '2', '--rates', '300', '--broker', kafka.address);
    expect(output).toMatch(/^\| 300 \| [\d.]+ \|/m);
    expect(output).toContain('Nothing was dropped');
  });

  it('measures one and two workers, and few and many users, and finds exact features', async () => {
    const sizes = ['--events', '4000', '--users', '100,100000', '--rounds', '1'];
    const output = await bench('scaling', ...sizes, '--broker', kafka.address);
    expect(output).toMatch(/^\| 2 \| [\d,]+ \|/m);
    expect(output).toContain('Every run gave the final features of the batch reference');
  });
});
