import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter } from '../../../tests/support/features.ts';

const seen = (time: number, item: unknown) => event(time, { properties: { item } });
const distinct = feature('f', 'distinct', { bucketMs: 10_000, buckets: 4, property: 'item', max: 5 });

describe('distinct', () => {
  it('is 0 without events', () => {
    expect(valueAfter(distinct, [], 0)).toBe(0);
  });

  it('counts each value once', () => {
    expect(valueAfter(distinct, [seen(1, 'a'), seen(2, 'b'), seen(3, 'a'), seen(4, null)])).toBe(2);
  });

  it('takes a number and its text for one value', () => {
    expect(valueAfter(distinct, [seen(1, 1), seen(2, '1')])).toBe(1);
  });

  it('loses a value when its last occurrence leaves the window', () => {
    const events = [seen(1, 'a'), seen(15_000, 'b'), seen(25_000, 'a')];
    expect(valueAfter(distinct, events, 49_000)).toBe(2);
    expect(valueAfter(distinct, events, 55_000)).toBe(1);
    expect(valueAfter(distinct, events, 65_000)).toBe(0);
  });

  it('of a late decision sees earlier occurrences, not later ones', () => {
    expect(valueAfter(distinct, [seen(1, 'a'), seen(25_000, 'a'), seen(25_000, 'b')], 5_000)).toBe(1);
  });

  it('is exact up to max and then stays there, in any order', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), (list) => {
        const newest = Math.max(...list.map(([time]) => Math.floor(time / 10_000)));
        const inside = list.filter(([time]) => Math.floor(time / 10_000) > newest - 4);
        const expected = Math.min(5, new Set(inside.map(([, item]) => item)).size);
        expect(
          valueAfter(
            distinct,
            list.map(([time, item]) => seen(time, item)),
          ),
        ).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
