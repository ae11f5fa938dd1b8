import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../replay/random.ts';
import { root } from '../../tests/support/program.ts';
import { presageBacktest } from '../backtest/backtest.fixture.ts';
import { exitCodeOf, exitCodes } from '../exit.ts';

const obdMap = join(root, 'examples', 'obd', 'map.mjs');
const items = 6;
let folder: string;
const file = (name: string): string => join(folder, name);

/** A log in the shape of the Open Bandit Dataset: uniform choices of six items at three places. */
const rows = Array.from({ length: 3_000 }, (_, row) => row);
const random = seededRandom(11);
const logged = rows.map(() => {
  const item = Math.floor(random() * items);
  const position = 1 + Math.floor(random() * 3);
  return { item, position, click: random() < 0.05 + 0.03 * item + 0.02 * position ? 1 : 0 };
});
const csv = [
  ',timestamp,item_id,position,click,propensity_score,user_feature_0',
  ...logged.map(
    ({ item, position, click }, row) =>
      `${row},2019-11-24 00:01:03+00:00,${item},${position},${click},${1 / items},trait${row % 3}`,
  ),
].join('\n');
const dist = [
  [0.05, 0.05, 0.1, 0.1, 0.3, 0.4],
  [0.3, 0.3, 0.1, 0.1, 0.1, 0.1],
  [0.1, 0.1, 0.1, 0.1, 0.3, 0.3],
];
const rewards = dist.map((row, position) => row.map((_, item) => 0.05 + 0.03 * item + 0.01 * position));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-backtest-'));
  const write = (name: string, text: string | Buffer) => writeFile(file(name), text);
  await write('log.csv', csv);
  await write('log.csv.gz', gzipSync(csv));
  await write(
    'log.jsonl',
    logged
      .map(({ item, position, click }) =>
        JSON.stringify({ item_id: item, position, click, propensity_score: 1 / items }),
      )
      .join('\n'),
  );
  await write('dist.json', JSON.stringify(dist));
  await write('rewards.json', JSON.stringify(rewards));
  await write('by-action.json', JSON.stringify({ 4: 0.5, 5: 0.5 }));
  await write('policy.mjs', 'export default ({ position }) => (position === "1" ? 0 : { 4: 0.5, 5: 0.5 });');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Told {
  readonly estimates: Record<string, { value: number; bootstrap: number[]; empiricalBernstein: number[] }>;
  readonly onPolicy: { value: number };
  readonly ess: number;
  readonly refused: string[];
  readonly warnings: string[];
  readonly read: number;
  readonly rejected: number;
  readonly deterministic: { rows: number; share: number };
  readonly decision: string;
  readonly units: { kind: string; count: number };
  readonly assumption: string;
}
const run = (log: string, ...args: string[]) =>
  presageBacktest('--log', file(log), '--map', obdMap, '--resamples', '200', ...args);
const told = async (log: string, ...args: string[]): Promise<Told> =>
  JSON.parse((await run(log, ...args, '--json')).out);

/** The formulas, once more and plainly. */
function formulas() {
  let wr = 0;
  let w = 0;
  let squares = 0;
  let dm = 0;
  let correction = 0;
  for (const { item, position, click } of logged) {
    const pi = dist[position - 1]!;
    const q = rewards[position - 1]!;
    const weight = pi[item]! * items;
    wr += weight * click;
    w += weight;
    squares += weight * weight;
    dm += pi.reduce((sum, one, k) => sum + one * q[k]!, 0);
    correction += weight * (click - q[item]!);
  }
  const n = logged.length;
  return { ips: wr / n, snips: wr / w, dm: dm / n, dr: (dm + correction) / n, ess: (w * w) / squares };
}

describe('presage backtest', () => {
  it.each(['log.csv', 'log.csv.gz', 'log.jsonl'])('gives the estimates of a policy from %s', async (log) => {
    const { estimates, ess, refused, onPolicy } = await told(log, '--policy', file('dist.json'));
    const expected = formulas();
    expect(estimates.ips?.value).toBeCloseTo(expected.ips, 12);
    expect(estimates.snips?.value).toBeCloseTo(expected.snips, 12);
    expect(ess).toBeCloseTo(expected.ess, 6);
    expect(onPolicy.value).toBeCloseTo(logged.reduce((sum, { click }) => sum + click, 0) / logged.length, 12);
    expect(refused).toEqual([]);
  });

  it('takes expected rewards that are brought along: DM and DR are their formulas', async () => {
    const { estimates } = await told(
      'log.csv.gz',
      '--policy',
      file('dist.json'),
      '--expected',
      file('rewards.json'),
    );
    const expected = formulas();
    expect(Math.abs(estimates.dm!.value - expected.dm)).toBeLessThan(1e-9);
    expect(Math.abs(estimates.dr!.value - expected.dr)).toBeLessThan(1e-9);
  });

  it('has both intervals for every estimate, around it', async () => {
    const { estimates } = await told('log.csv', '--policy', file('dist.json'));
    expect(Object.keys(estimates)).toEqual([
      'ips',
      'snips',
      'dm',
      'dr',
      'switchDr',
      'clippedIps',
      'clippedSnips',
      'clippedDr',
    ]);
    for (const { value, bootstrap, empiricalBernstein } of Object.values(estimates))
      for (const ends of [bootstrap, empiricalBernstein]) {
        expect(ends[0]).toBeLessThanOrEqual(value);
        expect(ends[1]).toBeGreaterThanOrEqual(value);
      }
  });

  it('takes a policy by action, and one that is a function', async () => {
    const byAction = await told('log.csv', '--policy', file('by-action.json'));
    const asked = await told('log.csv', '--policy', file('policy.mjs'));
    const weighted = (is: (one: (typeof logged)[number]) => boolean, weight: number) =>
      logged.reduce((sum, one) => sum + (is(one) ? weight * one.click : 0), 0) / logged.length;
    expect(byAction.estimates.ips?.value).toBeCloseTo(
      weighted(({ item }) => item >= 4, 3),
      12,
    );
    expect(asked.estimates.ips?.value).toBeCloseTo(
      weighted(({ item, position }) => position !== 2 && item >= 4, 3) +
        weighted(({ item, position }) => position === 2 && item === 0, 6),
      12,
    );
  });

  it('estimates the policy of the log where none is named, and says so', async () => {
    const { estimates, onPolicy, ess, warnings, refused } = await told('log.csv');
    for (const name of ['ips', 'snips', 'dr']) expect(estimates[name]?.value).toBeCloseTo(onPolicy.value, 12);
    expect(ess).toBeCloseTo(logged.length, 6);
    expect(refused).toEqual([]);
    expect(warnings.join()).toContain('--policy');
  });

  it('prints estimates and the reasons where it refuses, and does not fail', async () => {
    const never = [0, 1, 2].map(() => [0, 0, 0, 0, 0, 0, 1]);
    await writeFile(file('never.json'), JSON.stringify(never));
    const { estimates, refused } = await told('log.csv', '--policy', file('never.json'));
    expect(estimates.ips?.value).toBe(0);
    expect(refused.map((one) => one.split(':')[0])).toEqual(['support', 'weights', 'ess', 'positives']);
    const { out } = await run('log.csv', '--policy', file('never.json'));
    expect(out).toContain('REFUSED to recommend:\n  - support: 100% of what the policy would do');
  });

  it('recommends for people, with the assumption and the interval', async () => {
    const { out } = await run('log.csv', '--policy', file('by-action.json'));
    expect(out).toContain('Assumed (independent): a reward depends on its own action and position alone.');
    expect(out).toMatch(
      /RECOMMENDED: .*by-action.json is better than what made the log, by 0\.\d+ \[0\.\d+, 0\.\d+\]/,
    );
  });

  it('says "no evidence of better" where the interval of the difference includes 0', async () => {
    const uniform = dist.map((row) => row.map(() => 1 / items));
    await writeFile(file('uniform.json'), JSON.stringify(uniform));
    const { out } = await run('log.csv', '--policy', file('uniform.json'));
    expect(out).toContain('No evidence of better');
  });

  it('resamples subjects whole, knows slates, and leaves out what was not drawn', async () => {
    await writeFile(
      file('slates.mjs'),
      `export default (row, { row: place }) => ({ action: row.item_id, propensity: ${1 / items}, reward: Number(row.click),
        subject: (place >> 1) % 500, slate: place >> 1, position: place % 2, policy: { 4: 0.5, 5: 0.5 }, deterministic: place >= 2000 });`,
    );
    const args = ['--log', file('log.csv'), '--map', file('slates.mjs'), '--resamples', '100', '--json'];
    const report: Told = JSON.parse((await presageBacktest(...args, '--assume', 'cascade')).out);
    expect(report).toMatchObject({
      assumption: 'cascade',
      decision: 'slate',
      decisions: 1_000,
      units: { kind: 'subject', count: 500 },
      deterministic: { rows: 1_000, share: 1 / 3 },
    });
  });

  it('leaves out rows that are no decisions, says which and why, and goes on', async () => {
    await writeFile(file('holes.csv'), `${csv}\n3000,t,1,1,0,0,trait0\n3001,t,1,1,x,0.1,trait0\n3002,t,1,1`);
    const { err } = await run('holes.csv', '--policy', file('dist.json'));
    expect(err).toContain('row 3001: propensity: expected a number above 0 and at most 1, got 0');
    expect(err).toContain('row 3002: reward: expected a number, got NaN');
    const { rejected, warnings, read } = await told('holes.csv', '--policy', file('dist.json'));
    expect({ rejected, read }).toEqual({ rejected: 3, read: 3_003 });
    expect(warnings.join()).toContain('3 of 3003 are no decisions');
  });
});

it('presage backtest --learn compares a learned policy with always one action, over splits', async () => {
  const { out } = await run('log.csv', '--learn', '--against', '0', '--splits', '3');
  expect(out).toContain('A learned policy against always "0"');
  expect(out).toMatch(/3 of 3 splits lie above 0 by themselves/);
  expect(out).toMatch(
    /RECOMMENDED: the learned policy is better than always "0", by 0\.\d+ \[0\.\d+, 0\.\d+\]/,
  );
  const report = JSON.parse(
    (await run('log.csv', '--learn', '--against', '5', '--splits', '3', '--json')).out,
  );
  expect(report.splits).toHaveLength(3);
  // The fifth item is the best already.
  expect(report.difference.verdict).toBe('no evidence of better');
});

describe('a mistake is told with what, where and what to do', () => {
  const refusal = async (log: string, ...args: string[]): Promise<string> => {
    const error = await run(log, ...args).catch((thrown: unknown) => thrown);
    expect(exitCodeOf(error)).toBe(exitCodes.usage);
    return (error as Error).message;
  };

  it.each([
    [
      'transposed',
      JSON.stringify(dist[0]!.map((_, k) => dist.map((row) => row[k]))),
      'position 0: its probabilities sum to 0.45',
      'A row is a position',
    ],
    ['short', JSON.stringify(dist.slice(0, 2)), 'the log has position "2"', '"0", "1"'],
    ['negative', JSON.stringify([[-0.5, 1.5]]), 'position 0: 0: expected a probability, got -0.5', ''],
    ['broken', '{', 'is not JSON', ''],
    ['nothing', '[]', 'a matrix of positions x items', ''],
  ])('in a policy that is %s', async (name, text, what, hint) => {
    await writeFile(file(`${name}.json`), text);
    const message = await refusal('log.csv', '--policy', file(`${name}.json`));
    expect(message).toContain(`${name}.json`);
    expect(message).toContain(what);
    expect(message).toContain(hint);
  });

  it('in a log that is not there, is empty, or has no decisions', async () => {
    expect(await refusal('absent.csv')).toContain('absent.csv could not be read');
    await writeFile(file('empty.csv'), '');
    expect(await refusal('empty.csv')).toContain('it is empty');
    await writeFile(file('other.csv'), 'a,b\n1,2');
    expect(await refusal('other.csv')).toContain('row 1: action: expected a name or a number, got NaN');
  });

  it('in what is asked', async () => {
    const asked = async (...args: string[]): Promise<string> => {
      const error = await presageBacktest(...args).catch((thrown: unknown) => thrown);
      expect(exitCodeOf(error)).toBe(exitCodes.usage);
      return (error as Error).message;
    };
    expect(await asked()).toContain('Which decisions? --log FILE with --map MODULE.mjs');
    expect(await asked('--decisions', '--log', file('log.csv'))).toContain('--decisions with --placement');
    expect(await asked('--log', file('log.csv'), '--map', obdMap, '--learn')).toContain('--against ACTION');
    expect(await asked('--log', file('log.csv'), '--map', obdMap, '--learn', '--against', 'x')).toContain(
      'The log has no action "x"; it has: ',
    );
  });

  it('in a mapping module', async () => {
    await writeFile(file('no-function.mjs'), 'export default 1;');
    const error = await presageBacktest('--log', file('log.csv'), '--map', file('no-function.mjs')).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as Error).message).toContain('(row, source) => decision, decisions or nothing');
    expect(exitCodeOf(error)).toBe(exitCodes.usage);
  });
});
