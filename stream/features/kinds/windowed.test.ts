import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter, where } from '../../../tests/support/features.ts';

/** Four buckets of 10 s: the value at t covers (b(t) - 4, b(t)]. */
const window = { bucketMs: 10_000, buckets: 4 };
const priced = (time: number, price: unknown) => event(time, { properties: { price } });

describe('count', () => {
  const count = feature('f', 'count', window);

  it('is 0 without events', () => {
    expect(valueAfter(count, [], 5_000)).toBe(0);
  });

  it('covers the bucket of the time asked for and the three before', () => {
    const events = [9_999, 10_000, 39_999, 40_000].map((time) => event(time));
    expect(valueAfter(count, events, 49_999)).toBe(3);
    expect(valueAfter(count, events, 50_000)).toBe(2);
    expect(valueAfter(count, events, 79_999)).toBe(1);
    expect(valueAfter(count, events, 80_000)).toBe(0);
  });

  it('leaves out buckets after the time asked for', () => {
    expect(valueAfter(count, [event(1_000), event(25_000)], 19_999)).toBe(1);
  });

  it('leaves out an event older than the ring, whenever it comes', () => {
    expect(valueAfter(count, [event(50_000), event(19_999)])).toBe(1);
    expect(valueAfter(count, [event(50_000), event(20_000)])).toBe(2);
  });

  it('forgets by the newest event of any type', () => {
    const clicks = feature('f', 'count', { ...window, of: ['click'] });
    const events = [event(5_000, { type: 'click' }), event(45_000, { type: 'view' })];
    expect(valueAfter(clicks, events, 9_000)).toBe(0);
  });

  it('has buckets before 1970 too', () => {
    expect(valueAfter(count, [event(-1), event(0)])).toBe(2);
    expect(valueAfter(count, [event(-30_001), event(0)])).toBe(1);
  });

  it('reads system events only by name, and these do not age the others', () => {
    const all = feature('f', 'count', window);
    const outcomes = feature('f', 'count', { ...window, of: ['$outcome'] });
    const events = [event(5_000), event(900_000, { type: '$outcome' }), event(6_000)];
    expect(valueAfter(all, events, 9_000)).toBe(2);
    expect(valueAfter(outcomes, events, 900_000)).toBe(1);
    expect(valueAfter(outcomes, events, 9_000)).toBe(0);
  });

  it('counts only events for which `where` is true: not false, not missing', () => {
    const cheap = where('event.price < 5', ({ price }) => (price === undefined ? null : Number(price) < 5));
    const f = feature('f', 'count', { ...window, where: cheap });
    expect(valueAfter(f, [priced(1, 3), priced(2, 7), event(3)])).toBe(1);
  });
});

describe('sum', () => {
  const sum = feature('f', 'sum', { ...window, property: 'price', scale: 2 });

  it('is 0 without events', () => {
    expect(valueAfter(sum, [], 0)).toBe(0);
  });

  it('is exact in decimals', () => {
    expect(
      valueAfter(
        sum,
        Array.from({ length: 10 }, (_, i) => priced(i, 0.1)),
      ),
    ).toBe(1);
    expect(valueAfter(sum, [priced(1, 0.1), priced(2, 0.2)])).toBe(0.3);
  });

  it('leaves out what is not a finite number that fits', () => {
    const values = [1, '2', null, undefined, true, Number.NaN, Infinity, 1e300];
    expect(
      valueAfter(
        sum,
        values.map((value, i) => priced(i, value)),
      ),
    ).toBe(1);
  });

  it('goes beyond 2^53 and comes back exactly', () => {
    const large = 40_000_000_000_000;
    const events = [large, large, large, 0.01, -large, -large, -large].map((value, i) => priced(i, value));
    expect(valueAfter(sum, events)).toBe(0.01);
    expect(valueAfter(sum, events.slice(0, 3))).toBe(120_000_000_000_000);
  });
});

describe('min, max and mean', () => {
  const events = [priced(5_000, 4), priced(15_000, -2.5), priced(25_000, 1)];
  const of = (kind: 'min' | 'max' | 'mean') => feature('f', kind, { ...window, property: 'price' });

  it('are null without events', () => {
    for (const kind of ['min', 'max', 'mean'] as const) expect(valueAfter(of(kind), [], 0)).toBeNull();
  });

  it('are the least, the greatest and the mean of the window', () => {
    expect(valueAfter(of('min'), events)).toBe(-2.5);
    expect(valueAfter(of('max'), events)).toBe(4);
    expect(valueAfter(of('mean'), events)).toBe(2.5 / 3);
  });

  it('change when their event leaves the window', () => {
    expect(valueAfter(of('max'), events, 45_000)).toBe(1);
    expect(valueAfter(of('min'), events, 55_000)).toBe(1);
    expect(valueAfter(of('mean'), events, 45_000)).toBe(-0.75);
    expect(valueAfter(of('min'), events, 65_000)).toBeNull();
  });
});
