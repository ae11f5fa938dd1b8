import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presageBacktest } from '../../app/backtest/backtest.fixture.ts';
import { realData } from '../support/data.ts';
import { root } from '../support/program.ts';

const { path: folder, isThere } = realData('obd-small');
const map = join(root, 'examples', 'obd', 'map.mjs');

interface Reference {
  readonly truth: number;
  readonly on_policy_behavior: number;
  readonly ipw: number;
  readonly snipw: number;
  readonly dist?: number[][];
}

/** Figures of Open Bandit Pipeline 0.5.5 on the same files (reference_men.json). */
describe('the Open Bandit Dataset [real data]', () => {
  let references: Reference[];
  let own: string;
  const policies = ['dist', 'uniform', 'rewards'];
  const rewards = [0, 1, 2].map((position) =>
    Array.from({ length: 34 }, (_, item) => 0.002 + 0.0001 * item + 0.001 * position),
  );
  beforeAll(async () => {
    if (!isThere) return;
    references = JSON.parse(await readFile(join(folder, 'reference_men.json'), 'utf8'));
    own = await mkdtemp(join(tmpdir(), 'presage-obd-'));
    const uniform = [0, 1, 2].map(() => new Array(34).fill(1 / 34));
    const contents = [references[0]?.dist, uniform, rewards];
    for (const [k, name] of policies.entries())
      await writeFile(join(own, `${name}.json`), JSON.stringify(contents[k]));
  });
  afterAll(async () => {
    if (isThere) await rm(own, { recursive: true });
  });

  const directions = [
    { log: 'random_men.csv.gz', policy: 'dist', reference: 0 },
    { log: 'bts_men.csv.gz', policy: 'uniform', reference: 1 },
  ];
  const told = async (log: string, policy: string, ...args: string[]) =>
    JSON.parse(
      (
        await presageBacktest(
          ...['--log', join(folder, log), '--map', map, '--policy', join(own, `${policy}.json`)],
          ...['--json', ...args],
        )
      ).out,
    );

  it.skipIf(!isThere).each(directions)(
    'gives IPS, SNIPS and on-policy values of $log as the reference has them',
    async ({ log, policy, reference }) => {
      const expected = references[reference] as Reference;
      const report = await told(log, policy, '--resamples', '200');
      expect(Math.abs(report.estimates.ips.value - expected.ipw)).toBeLessThan(1e-6);
      expect(Math.abs(report.estimates.snips.value - expected.snipw)).toBeLessThan(1e-6);
      expect(report.onPolicy.value).toBe(expected.on_policy_behavior);
      expect(report.refused).toEqual([]);
      expect(report.warnings.some((one: string) => one.startsWith('positives:'))).toBe(true);
      // The model says of itself whether it knows more than a constant.
      const { outOfFold, constant, isBetterThanConstant } = report.model;
      expect(isBetterThanConstant).toBe(outOfFold < constant);
      expect(report.warnings.some((one: string) => one.startsWith('model:'))).toBe(!isBetterThanConstant);
    },
  );

  it.skipIf(!isThere).each(directions)(
    'gives DM and DR of $log by their formulas, for the same expected rewards',
    async ({ log, policy }) => {
      const report = await told(log, policy, '--expected', join(own, 'rewards.json'), '--resamples', '50');
      const pi: number[][] = JSON.parse(await readFile(join(own, `${policy}.json`), 'utf8'));
      const [, ...lines] = gunzipSync(await readFile(join(folder, log)))
        .toString()
        .trim()
        .split('\n');
      let dm = 0;
      let dr = 0;
      for (const line of lines) {
        const [, , item, place, click, propensity] = line.split(',').map(Number) as number[];
        const position = (place as number) - 1;
        const q = rewards[position] as number[];
        const here = pi[position] as number[];
        const expected = here.reduce((sum, one, k) => sum + one * (q[k] as number), 0);
        const weight = (here[item as number] as number) / (propensity as number);
        dm += expected / lines.length;
        dr += (expected + weight * ((click as number) - (q[item as number] as number))) / lines.length;
      }
      expect(Math.abs(report.estimates.dm.value - dm)).toBeLessThan(1e-9);
      expect(Math.abs(report.estimates.dr.value - dr)).toBeLessThan(1e-9);
    },
  );
});
