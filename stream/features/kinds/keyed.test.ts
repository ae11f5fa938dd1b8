import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter } from '../../../tests/support/features.ts';

const window = { bucketMs: 10_000, buckets: 4 };
const at = (time: number, item: unknown, price = 1) => event(time, { properties: { item, price } });
const spent = feature('f', 'sum', { ...window, property: 'price', by: 'item', keys: 3 });

describe('a feature by a property', () => {
  it('is empty without events', () => {
    expect(valueAfter(spent, [], 0)).toEqual({});
  });

  it('has a value for each key that saw an event in the window', () => {
    expect(valueAfter(spent, [at(1, 'a', 2), at(2, 'b', 3), at(3, 'a', 4)])).toEqual({ a: 6, b: 3 });
    expect(valueAfter(spent, [at(1, 'a'), at(45_000, 'b', 0)])).toEqual({ b: 0 });
  });

  it('takes numbers and booleans as texts, and leaves out events without the property', () => {
    expect(valueAfter(spent, [at(1, 7), at(2, '7'), at(3, true), at(4, null), at(5, undefined)])).toEqual({
      7: 2,
      true: 1,
    });
  });

  it('may have a key called __proto__', () => {
    expect(Object.entries(valueAfter(spent, [at(1, '__proto__', 5)]) ?? {})).toEqual([['__proto__', 5]]);
  });

  it('keeps the keys with the newest events', () => {
    const events = [at(4, 'old'), at(10, 'a'), at(11, 'b'), at(12, 'c')];
    expect(valueAfter(spent, events)).toEqual({ a: 1, b: 1, c: 1 });
    expect(valueAfter(spent, [...events].reverse())).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('gives way by the key where times are equal', () => {
    expect(valueAfter(spent, [at(1, 'd'), at(1, 'a'), at(1, 'c'), at(1, 'b')])).toEqual({ b: 1, c: 1, d: 1 });
  });

  it('has room again for new keys when others have left the window', () => {
    const events = [at(1, 'a'), at(2, 'b'), at(3, 'c'), at(50_000, 'd'), at(50_001, 'e'), at(50_002, 'f')];
    expect(valueAfter(spent, events)).toEqual({ d: 1, e: 1, f: 1 });
  });

  it('keeps the same keys in any order, however many there are', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.constantFrom(...'abcdefghij'));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), fc.func(fc.nat()), (list, rank) => {
        const events = list.map(([time, item]) => at(time, item));
        const shuffled = [...events].sort((a, b) => rank(a.id) - rank(b.id));
        const keysOf = (some: typeof events) => Object.keys(valueAfter(spent, some) as object);
        expect(keysOf(shuffled)).toEqual(keysOf(events));
      }),
      { numRuns: 500 },
    );
  });
});
