import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presageBacktest } from '../../app/backtest/backtest.fixture.ts';
import { realData } from '../support/data.ts';
import { root } from '../support/program.ts';

const { path: log, isThere } = realData('hillstrom/hillstrom.csv.gz');
const arms = ['Mens E-Mail', 'Womens E-Mail', 'No E-Mail'];
const isFull = process.env.PRESAGE_FULL === '1';

describe("Hillstrom's e-mail experiment [real data]", () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'presage-hillstrom-'));
    // A model is not asked for where only SNIPS is looked at.
    await writeFile(
      join(folder, 'expected.json'),
      JSON.stringify(Object.fromEntries(arms.map((arm) => [arm, 0.15]))),
    );
  });
  afterAll(async () => {
    if (folder !== '') await rm(folder, { recursive: true });
  });

  it.skipIf(!isThere).each(arms)(
    'gives the mean of its arm as SNIPS of always "%s", exactly',
    async (arm) => {
      // From the end: segment, visit, conversion, spend. A segment of history has a comma in it.
      const visits = gunzipSync(await readFile(log))
        .toString()
        .trim()
        .split(/\r?\n/)
        .map((line) => line.split(','))
        .filter((row) => row.at(-4) === arm)
        .map((row) => Number(row.at(-3)));
      const policy = join(folder, 'policy.json');
      await writeFile(policy, JSON.stringify({ [arm]: 1 }));
      const { out } = await presageBacktest(
        ...['--log', log, '--map', join(root, 'examples', 'hillstrom', 'map.mjs'), '--policy', policy],
        ...['--expected', join(folder, 'expected.json'), '--resamples', '20', '--json'],
      );
      const { estimates, refused } = JSON.parse(out);
      expect(estimates.snips.value).toBe(visits.reduce((sum, one) => sum + one, 0) / visits.length);
      expect(refused).toEqual([]);
    },
  );

  const splits = isFull ? 20 : 2;
  it.skipIf(!isThere)(
    `compares a learned policy with men's e-mail to all, visits less what contacts cost, over ${splits} splits${isFull ? ' [full form]' : ''}`,
    async () => {
      const args = [
        ...['--log', log, '--map', join(root, 'examples', 'hillstrom', 'net.mjs')],
        ...['--learn', '--against', 'Mens E-Mail', '--splits', String(splits)],
        ...['--resamples', isFull ? '1000' : '100'],
      ];
      const report = JSON.parse((await presageBacktest(...args, '--json')).out);
      expect(report.splits).toHaveLength(splits);
      const [low, high] = report.difference.interval;
      const includesZero = low <= 0 && high >= 0;
      expect(report.difference.verdict === 'no evidence of better').toBe(includesZero);
      // Men's e-mail to all: 18.28% visit, and each costs 0.05.
      expect(report.value).toBeCloseTo(0.1328, 2);
      expect(report.refused).toEqual([]);
    },
  );
});
