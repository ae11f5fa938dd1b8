import { describe, expect, it } from 'vitest';
import { DecisionLogWriter } from '../log/decision-log.ts';
import { policyOfRows } from '../policy/policy.ts';
import { expectedOfRows } from '../reward/given.ts';
import type { Assumption } from './assumption.ts';
import { chooseThreshold, dm, dr, switchDr } from './modelled.ts';
import { estimated, type Sample } from './sample.ts';
import { clipped, ips, snips } from './weighting.ts';
import { slatesOf, weightsOf } from './weights.ts';

const floats = (...values: number[]): Float64Array => Float64Array.from(values);

/** Three decisions worked out by hand. */
const sample: Sample = {
  rows: 3,
  decisions: 3,
  reward: floats(1, 0, 1),
  weight: floats(2, 0.5, 4),
  drawn: floats(2, 0.5, 4),
  before: floats(1, 1, 1),
  group: null,
  groups: 1,
};
const expected = { logged: floats(0.5, 0.2, 0.9), policy: floats(0.4, 0.3, 0.6) };

describe('estimates of three decisions', () => {
  it.each([
    ['IPS', ips(sample), (2 + 4) / 3],
    ['SNIPS', snips(ips(sample), sample), (2 + 4) / 6.5],
    ['DM', dm(sample, expected), (0.4 + 0.3 + 0.6) / 3],
    ['DR', dr(sample, expected), (0.4 + 2 * 0.5 + 0.3 - 0.5 * 0.2 + 0.6 + 4 * 0.1) / 3],
    ['Switch-DR', switchDr(sample, expected, 2), (0.4 + 2 * 0.5 + 0.3 - 0.5 * 0.2 + 0.6) / 3],
    ['clipped IPS', ips(clipped(sample, 3)), (2 + 3) / 3],
    ['clipped SNIPS', snips(ips(clipped(sample, 3)), clipped(sample, 3)), (2 + 3) / 5.5],
    ['clipped DR', dr(clipped(sample, 3), expected), (0.4 + 1 + 0.3 - 0.1 + 0.6 + 3 * 0.1) / 3],
  ])('%s', (_, terms, value) => {
    expect(estimated(terms, sample)).toBeCloseTo(value, 12);
  });

  it('are DR where no weight is above the threshold, and DM where all are', () => {
    expect(estimated(switchDr(sample, expected, 4), sample)).toBe(estimated(dr(sample, expected), sample));
    expect(estimated(switchDr(sample, expected, 0), sample)).toBe(estimated(dm(sample, expected), sample));
  });

  it('switch where a few huge weights cost more variance than the model can cost bias', () => {
    const rows = 20_000;
    const weight = new Float64Array(rows).fill(1);
    weight.fill(3_000, 0, 4);
    const reward = new Float64Array(rows);
    for (let row = 0; row < rows; row += 2) reward[row] = 1;
    const flat = { logged: new Float64Array(rows).fill(0.5), policy: new Float64Array(rows).fill(0.5) };
    const heavy = {
      ...sample,
      rows,
      decisions: rows,
      reward,
      weight,
      drawn: weight,
      before: new Float64Array(rows).fill(1),
    };
    // Rewards within 0.01 of each other: the bias is bounded by almost nothing.
    expect(chooseThreshold(heavy, flat, 0.01)).toBe(1);
    expect(chooseThreshold(heavy, flat, 1)).toBe(3_000);
  });
});

/**
 * Two slots, two actions each, and every slate that can be, as often as the log's policy shows it: the mean of an
 * unbiased estimate over them is the value itself.
 */
describe('slates', () => {
  const logging = [0.3, 0.8];
  const target = [0.6, 0.5];
  const chanceOf = (action: number, probability: number): number =>
    action === 0 ? probability : 1 - probability;
  const worlds: Record<Assumption, (first: number, second: number) => readonly [number, number]> = {
    independent: (first, second) => [0.2 + 0.3 * first, 0.5 - 0.4 * second],
    cascade: (first, second) => [0.2 + 0.3 * first, 0.9 * first * second],
    slate: (first, second) => [0.7 * second, 0.9 * first * second + 0.1],
  };
  const pairs = [0, 1].flatMap((first) => [0, 1].map((second) => [first, second] as const));
  const trueValue = (world: Assumption): number =>
    pairs.reduce((sum, [first, second]) => {
      const chance = chanceOf(first, target[0]!) * chanceOf(second, target[1]!);
      const [one, two] = worlds[world](first, second);
      return sum + chance * (one + two);
    }, 0);

  /** Each slate in thousandths of its probability, the second slot's row first: the order in the file is nothing. */
  function sampleOf(world: Assumption, assumption: Assumption) {
    const writer = new DecisionLogWriter();
    for (const [first, second] of pairs) {
      const times = Math.round(1_000 * chanceOf(first, logging[0]!) * chanceOf(second, logging[1]!));
      const rewards = worlds[world](first, second);
      for (let time = 0; time < times; time++)
        for (const slot of [1, 0]) {
          const action = slot === 0 ? first : second;
          writer.add({
            action: String(action),
            position: String(slot + 1),
            slate: `${first}${second}-${time}`,
            propensity: chanceOf(action, logging[slot]!),
            reward: rewards[slot]!,
            policy: { 0: target[slot]!, 1: 1 - target[slot]! },
            // A model that is wrong everywhere.
            expected: { 0: 0.8, 1: 0.3 + slot },
            deterministic: false,
          });
        }
    }
    const log = writer.finish();
    const policy = policyOfRows(log.policy!, 'target');
    const slates = slatesOf(log);
    const weights = weightsOf(log, policy, assumption, slates);
    const sample: Sample = {
      rows: log.rows,
      decisions: slates!.length,
      reward: log.reward,
      ...weights,
      group: log.position,
      groups: 2,
    };
    return { sample, expected: expectedOfRows(log, policy)! };
  }

  const order: readonly Assumption[] = ['independent', 'cascade', 'slate'];
  for (const world of order)
    for (const assumption of order) {
      const holds = order.indexOf(assumption) >= order.indexOf(world);
      it(`${holds ? 'are' : 'are not'} estimated rightly by "${assumption}" where rewards are of "${world}"`, () => {
        const { sample, expected } = sampleOf(world, assumption);
        const close = (value: number) => (holds ? expect(value) : expect(value).not);
        close(estimated(ips(sample), sample)).toBeCloseTo(trueValue(world), 9);
        close(estimated(snips(ips(sample), sample), sample)).toBeCloseTo(trueValue(world), 9);
        close(estimated(dr(sample, expected), sample)).toBeCloseTo(trueValue(world), 9);
      });
    }

  it('need not all have the same slots', () => {
    const writer = new DecisionLogWriter();
    for (const [slate, positions] of [
      ['a', ['1', '2']],
      ['b', ['1']],
    ] as const)
      for (const position of positions)
        writer.add({
          action: 'x',
          position,
          slate,
          propensity: 1,
          reward: 1,
          policy: { x: 1 },
          deterministic: false,
        });
    const log = writer.finish();
    const slates = slatesOf(log);
    const sample: Sample = {
      rows: 3,
      decisions: 2,
      reward: log.reward,
      ...weightsOf(log, policyOfRows(log.policy!, 'x'), 'cascade', slates),
      group: log.position,
      groups: 2,
    };
    expect(estimated(ips(sample), sample)).toBe(1.5);
    expect(estimated(snips(ips(sample), sample), sample)).toBe(1.5);
  });
});
