import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter } from '../../../tests/support/features.ts';
import { addOccurrence, type Counts, mergeCounts } from '../parts/frequent.ts';

const top = feature('f', 'top_k', { bucketMs: 10_000, buckets: 4, property: 'item', n: 2, keys: 5 });
const seen = (time: number, item: unknown) => event(time, { properties: { item } });
const all = (text: string, time = 1) => [...text].map((item) => seen(time, item));

describe('top_k', () => {
  it('is empty without events', () => {
    expect(valueAfter(top, [], 0)).toEqual([]);
  });

  it('ranks by how often, then by the text', () => {
    expect(valueAfter(top, all('cabcab'))).toEqual(['a', 'b']);
    expect(valueAfter(top, all('cabcc'))).toEqual(['c', 'a']);
    expect(valueAfter(top, [seen(1, 7), seen(2, '7'), seen(3, true), seen(4, null)])).toEqual(['7', 'true']);
  });

  it('forgets what has left the window, and does not see the future', () => {
    const events = [...all('aaa'), ...all('bb', 25_000)];
    expect(valueAfter(top, events)).toEqual(['a', 'b']);
    expect(valueAfter(top, events, 45_000)).toEqual(['b']);
    expect(valueAfter(top, events, 5_000)).toEqual(['a']);
  });

  it('may have a value called __proto__', () => {
    expect(valueAfter(top, [seen(1, '__proto__')])).toEqual(['__proto__']);
  });

  it('never loses a value of more than 1 / (keys + 1) of the events', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 200 }), fc.func(fc.nat()), (noise, rank) => {
        const often = Math.floor(noise.length / 5) + 1;
        const items = [...noise.map((one) => `n${one}`), ...new Array<string>(often).fill('often')];
        const shuffled = items.map((item, i) => ({ item, at: rank(`${i}`) })).sort((a, b) => a.at - b.at);
        const truth = noise.length + often;
        const counts: Counts = new Map();
        for (const { item } of shuffled) addOccurrence(counts, item, 5);
        expect(counts.size).toBeLessThanOrEqual(5);
        for (const [value, count] of counts) {
          const real = items.filter((item) => item === value).length;
          expect(count).toBeLessThanOrEqual(real);
          expect(real - count).toBeLessThanOrEqual(truth / 6);
        }
        if (often > truth / 6) expect(counts.has('often')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps that bound when two subjects are merged', () => {
    const items = fc.array(fc.nat(12).map(String), { maxLength: 120 });
    fc.assert(
      fc.property(items, items, (left, right) => {
        const countsOf = (list: readonly string[]) => {
          const counts: Counts = new Map();
          for (const item of list) addOccurrence(counts, item, 5);
          return counts;
        };
        const merged = mergeCounts(countsOf(left), countsOf(right), 5);
        const whole = [...left, ...right];
        expect(merged.size).toBeLessThanOrEqual(5);
        for (const item of new Set(whole)) {
          const real = whole.filter((one) => one === item).length;
          const count = merged.get(item) ?? 0;
          expect(count).toBeLessThanOrEqual(real);
          expect(real - count).toBeLessThanOrEqual(whole.length / 6);
        }
      }),
      { numRuns: 300 },
    );
  });
});
