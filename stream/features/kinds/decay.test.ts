import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter } from '../../../tests/support/features.ts';
import { halved, powerOfTwo } from '../parts/half-life.ts';

/** A half-life of a minute, in buckets of a quarter of it, 24 half-lives kept. */
const shape = { bucketMs: 15_000, buckets: 96, halfLifeMs: 60_000 };
const decay = feature('f', 'decay', shape);
const spent = feature('f', 'decay', { ...shape, property: 'price', scale: 2 });
const epoch = 1_700_000_000_000;
const priced = (time: number, price: unknown) => event(epoch + time, { properties: { price } });

describe('decay', () => {
  it('is 0 without events', () => {
    expect(valueAfter(decay, [], epoch)).toBe(0);
  });

  it('counts an event half after each half-life', () => {
    const at = [0, 60_000, 120_000, 600_000].map((age) => valueAfter(decay, [event(epoch)], epoch + age));
    for (const [i, value] of at.entries()) expect(value).toBeCloseTo([1, 0.5, 0.25, 2 ** -10][i] ?? 0, 6);
  });

  it('sums a property, and leaves out what is no number', () => {
    const events = [priced(0, 100), priced(60_000, 10.5), priced(60_000, '7'), priced(60_000, null)];
    expect(valueAfter(spent, events)).toBeCloseTo(60.5, 4);
  });

  it('is nothing after 24 half-lives', () => {
    expect(valueAfter(decay, [event(epoch)], epoch + 25 * 60_000)).toBe(0);
    expect(valueAfter(decay, [event(epoch)], epoch + 23 * 60_000)).toBeGreaterThan(0);
  });

  it('keeps the published bound: 5e-7 of the weighted amounts and 6e-8 of what is left out', () => {
    const one = fc.tuple(
      fc.integer({ min: 0, max: 40 * 60_000 }),
      fc.oneof(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.constantFrom(4e12, -4e12, 1)),
    );
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 40 }), fc.nat(120_000), (list, later) => {
        const at = epoch + Math.max(...list.map(([time]) => time)) + later;
        let ideal = 0;
        let bound = 1e-9;
        for (const [time, price] of list) {
          const weight = 0.5 ** ((at - epoch - time) / 60_000);
          const isOut = Math.floor((epoch + time) / 15_000) <= Math.floor(at / 15_000) - 96;
          ideal += price * weight;
          bound += isOut ? Math.abs(price) * 7e-8 : Math.abs(price) * weight * 5e-7;
        }
        const value = valueAfter(
          spent,
          list.map(([time, price]) => priced(time, price)),
          at,
        );
        expect(Math.abs(Number(value) - ideal)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same to the last bit in any order', () => {
    const one = fc.tuple(
      fc.integer({ min: 0, max: 600_000 }),
      fc.double({ min: -1e12, max: 1e12, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 40 }), fc.func(fc.nat()), (list, rank) => {
        const events = list.map(([time, price]) => priced(time, price));
        const shuffled = [...events].sort((a, b) => rank(a.id) - rank(b.id));
        expect(valueAfter(spent, shuffled, epoch + 600_000)).toBe(valueAfter(spent, events, epoch + 600_000));
      }),
      { numRuns: 200 },
    );
  });

  it('weighs by a power of two that is right to the last places', () => {
    for (let x = -1; x <= 1; x += 1 / 256) expect(Math.abs(powerOfTwo(x) / 2 ** x - 1)).toBeLessThan(5e-16);
    for (let x = 0; x <= 25; x += 1 / 8) expect(Math.abs(halved(x) * 2 ** x - 1)).toBeLessThan(1e-15);
  });
});
