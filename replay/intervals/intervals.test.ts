import { describe, expect, it } from 'vitest';
import { meanOf, type Sample } from '../estimators/sample.ts';
import { seededRandom } from '../random.ts';
import { bootstrap } from './bootstrap.ts';
import { empiricalBernstein } from './empirical-bernstein.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { bagged, sumsOf, type Units, unitsOf } from './units.ts';

const options = { resamples: 2_000, seed: 1, level: 0.95 };

function sampleOf(reward: Float64Array): Sample {
  const ones = new Float64Array(reward.length).fill(1);
  const { length } = reward;
  return {
    rows: length,
    decisions: length,
    reward,
    weight: ones,
    drawn: ones,
    before: ones,
    group: null,
    groups: 1,
  };
}

function uniform(count: number, seed = 3): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: count }, random);
}

const intervalOf = (
  values: Float64Array,
  units: Units = unitsOf({ rows: values.length }, null, null),
  chosen = options,
) => bootstrap([sumsOf(meanOf(values), sampleOf(values), units)], chosen)[0]!;

describe('the bootstrap', () => {
  it('of a mean of many is as wide as the normal interval', () => {
    const { low, high, standardError } = intervalOf(uniform(5_000));
    const error = Math.sqrt(1 / 12 / 5_000);
    expect(standardError / error).toBeCloseTo(1, 1);
    expect((high - low) / (2 * 1.96 * error)).toBeCloseTo(1, 1);
  });

  it('leans to where the values are skewed', () => {
    const skewed = uniform(200).map((one) => (one > 0.95 ? 20 * one : 0));
    const mean = skewed.reduce((sum, one) => sum + one, 0) / skewed.length;
    const { low, high } = intervalOf(skewed);
    expect(high - mean).toBeGreaterThan(1.15 * (mean - low));
  });

  it('gives the same interval for the same seed, and a point where nothing varies', () => {
    expect(intervalOf(uniform(300))).toEqual(intervalOf(uniform(300)));
    expect(intervalOf(new Float64Array(50).fill(0.25))).toEqual({ low: 0.25, high: 0.25, standardError: 0 });
  });

  it('of subjects that repeat their rows is as wide as that of the subjects', () => {
    const people = uniform(1_000);
    const rows = Float64Array.from({ length: 4_000 }, (_, row) => people[row >> 2]!);
    const subject = Int32Array.from({ length: 4_000 }, (_, row) => row >> 2);
    const asRows = intervalOf(rows).standardError;
    const asSubjects = intervalOf(rows, unitsOf({ rows: 4_000 }, subject, null)).standardError;
    expect(asSubjects / asRows).toBeCloseTo(2, 0);
    expect(asSubjects / intervalOf(people).standardError).toBeCloseTo(1, 1);
  });

  it('of random bags of units is as wide as that of the units', () => {
    const values = uniform(20_000);
    const units = unitsOf({ rows: values.length }, null, null);
    const bags = bagged(units, 2_000, 5);
    expect(bags.count).toBe(2_000);
    expect(
      intervalOf(values, bags).standardError /
        intervalOf(values, units, { ...options, resamples: 400 }).standardError,
    ).toBeCloseTo(1, 1);
  });

  it('has no interval where an estimate has no value', () => {
    const nothing = new Float64Array(20);
    const terms = { numerator: nothing, denominator: nothing };
    const units = unitsOf({ rows: 20 }, null, null);
    expect(bootstrap([sumsOf(terms, sampleOf(nothing), units)], options)[0]).toBeNull();
  });
});

describe('the empirical-Bernstein interval', () => {
  const units = unitsOf({ rows: 1_000 }, null, null);
  const bounds = { level: 0.95, range: 1, least: 0, most: 1 };

  it('is the bound of Maurer and Pontil on both sides', () => {
    const values = uniform(1_000);
    const mean = values.reduce((sum, one) => sum + one, 0) / 1_000;
    const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 999;
    const logarithm = Math.log(4 / 0.05);
    const half = Math.sqrt((2 * variance * logarithm) / 1_000) + (7 * logarithm) / (3 * 999);
    const interval = empiricalBernstein(sumsOf(meanOf(values), sampleOf(values), units), bounds)!;
    expect(interval.low).toBeCloseTo(mean - half, 12);
    expect(interval.high).toBeCloseTo(mean + half, 12);
  });

  it('of a ratio of equal denominators is that of the mean', () => {
    const values = uniform(1_000);
    const ratio = { numerator: values.map((one) => 3 * one), denominator: new Float64Array(1_000).fill(3) };
    const ofRatio = empiricalBernstein(sumsOf(ratio, sampleOf(values), units), { ...bounds, range: 3 })!;
    const ofMean = empiricalBernstein(sumsOf(meanOf(values), sampleOf(values), units), bounds)!;
    expect(ofRatio.low).toBeCloseTo(ofMean.low, 9);
    expect(ofRatio.high).toBeCloseTo(ofMean.high, 9);
  });

  it('never leaves where a value can be, and needs two units', () => {
    const few = Float64Array.of(0, 1);
    const two = unitsOf({ rows: 2 }, null, null);
    expect(empiricalBernstein(sumsOf(meanOf(few), sampleOf(few), two), bounds)).toEqual({ low: 0, high: 1 });
    const one = unitsOf({ rows: 2 }, Int32Array.of(7, 7), null);
    expect(empiricalBernstein(sumsOf(meanOf(few), sampleOf(few), one), bounds)).toBeNull();
  });
});

it('knows the normal distribution', () => {
  expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
  expect(normalQuantile(0.025)).toBeCloseTo(-1.959964, 4);
  expect(normalQuantile(0.5)).toBeCloseTo(0, 6);
});
