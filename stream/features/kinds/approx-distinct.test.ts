import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { config, event, feature, valueAfter } from '../../../tests/support/features.ts';
import { makeFeatureSet } from '../index.ts';
import { addText, estimate, mergeSketches, raiseAll, type Sketch } from '../parts/sketch.ts';

const about = feature('f', 'approx_distinct', {
  bucketMs: 10_000,
  buckets: 4,
  property: 'item',
  precision: 10,
});
const seen = (time: number, item: unknown) => event(time, { properties: { item } });

function sketchOf(values: Iterable<string>, precision: number): Sketch {
  let sketch: Sketch = [];
  for (const value of values) sketch = addText(sketch, value, precision);
  return sketch;
}

function denseOf(sketch: Sketch, precision: number): Uint8Array {
  const dense = new Uint8Array(2 ** precision);
  raiseAll(dense, sketch);
  return dense;
}

function* texts(seed: number, count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `value-${seed}-${i}`;
}

describe('approx_distinct', () => {
  it('is 0 without events, and counts few values exactly', () => {
    expect(valueAfter(about, [], 0)).toBe(0);
    expect(valueAfter(about, [seen(1, 'a'), seen(2, 1), seen(3, '1'), seen(4, null), seen(5, 'a')])).toBe(2);
  });

  it('loses a value when its last occurrence leaves the window', () => {
    const events = [seen(1, 'a'), seen(15_000, 'b'), seen(25_000, 'a')];
    expect(valueAfter(about, events, 49_000)).toBe(2);
    expect(valueAfter(about, events, 55_000)).toBe(1);
    expect(valueAfter(about, events, 65_000)).toBe(0);
    expect(valueAfter(about, events, 9_000)).toBe(1);
  });

  it.each([8, 10, 12, 14])(
    'has a standard error of 1.04 / sqrt(2^%i), from few values to many',
    (precision) => {
      for (const count of [20, 300, 3_000, 20_000]) {
        const runs = precision > 10 ? 30 : 60;
        let squares = 0;
        let sum = 0;
        for (let seed = 0; seed < runs; seed++) {
          const error = estimate(denseOf(sketchOf(texts(seed, count), precision), precision)) / count - 1;
          squares += error * error;
          sum += error;
        }
        const standard = 1.04 / Math.sqrt(2 ** precision);
        // A sample of so many runs: half as much again for the spread, three standard errors of the mean for bias.
        expect(Math.sqrt(squares / runs)).toBeLessThan(standard * 1.5);
        expect(Math.abs(sum / runs)).toBeLessThan((3 * standard) / Math.sqrt(runs));
      }
    },
  );

  it('merges to the sketch of all values, however sparse or dense', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), fc.nat(100), (left, right, from) => {
        const a = [...texts(1, left)];
        const b = [...texts(1, from + right)].slice(from);
        const merged = mergeSketches(sketchOf(a, 8), sketchOf(b, 8), 8);
        expect(denseOf(merged, 8)).toEqual(denseOf(sketchOf([...a, ...b], 8), 8));
      }),
      { numRuns: 200 },
    );
  });

  it('has a blob of six bits a register at most, and two bytes a value while sparse', () => {
    const set = makeFeatureSet(config([about], { deduplicationIds: 16 }));
    const bytesAfter = (count: number): number => {
      const state = set.empty();
      for (let i = 0; i < count; i++) set.update(state, seen(5_000, `v${i}`), i);
      const blob = set.encode(state);
      expect(set.encode(set.decode(blob))).toEqual(blob);
      return blob.length;
    };
    const without = bytesAfter(1);
    expect(bytesAfter(100) - without).toBeLessThan(100 * 2 + 300);
    expect(bytesAfter(5_000) - without).toBeLessThan(768 + 300);
  });
});
