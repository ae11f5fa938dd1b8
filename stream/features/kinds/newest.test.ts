import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter } from '../../../tests/support/features.ts';

const page = (time: number, name: unknown, id = `id-${time}`) =>
  event(time, { id, properties: { page: name } });

describe('last', () => {
  const last = feature('f', 'last', { property: 'page' });

  it('is null without events', () => {
    expect(valueAfter(last, [], 0)).toBeNull();
  });

  it('is the newest by event time, not the last to come', () => {
    expect(valueAfter(last, [page(2, 'b'), page(3, 'c'), page(1, 'a')])).toBe('c');
  });

  it('decides equal times by the event id', () => {
    expect(valueAfter(last, [page(1, 'z', 'id-b'), page(1, 'a', 'id-c'), page(1, 'm', 'id-a')])).toBe('a');
  });

  it('passes over events without the property', () => {
    expect(valueAfter(last, [page(1, 'a'), page(2, null), page(3, undefined), page(4, {})])).toBe('a');
  });

  it('never tells a late decision of its future', () => {
    const events = [1, 2, 3, 4, 5].map((time) => page(time, `p${time}`));
    expect(valueAfter(last, events, 3)).toBe('p3');
    expect(valueAfter(last, events, 2)).toBe('p2');
    expect(valueAfter(last, events, 1), 'only the three before the newest are kept').toBeNull();
  });

  it('is a number where it is declared so, and takes no other', () => {
    const number = feature('f', 'last', { property: 'page', propertyType: 'number' });
    expect(valueAfter(number, [page(1, 0.1 + 0.2), page(2, '7')])).toBe(0.1 + 0.2);
  });

  it('is cut to 256 characters', () => {
    expect(valueAfter(last, [page(1, 'x'.repeat(5_000))])).toBe('x'.repeat(256));
  });
});

describe('last_n', () => {
  const lastN = feature('f', 'last_n', { property: 'page', n: 3 });

  it('is empty without events', () => {
    expect(valueAfter(lastN, [], 0)).toEqual([]);
  });

  it('is the newest three as texts, newest first, repeated values included', () => {
    const events = [page(5, 'e'), page(1, 'a'), page(4, 7), page(3, 'e'), page(2, 'b')];
    expect(valueAfter(lastN, events)).toEqual(['e', '7', 'e']);
  });

  it('never tells a late decision of its future', () => {
    const events = [1, 2, 3, 4, 5, 6, 7].map((time) => page(time, `p${time}`));
    expect(valueAfter(lastN, events, 5)).toEqual(['p5', 'p4', 'p3']);
    expect(valueAfter(lastN, events, 3)).toEqual(['p3', 'p2']);
  });
});

describe('time_since', () => {
  const since = feature('f', 'time_since', { of: ['purchase'] });
  const purchase = (time: number) => event(time, { type: 'purchase' });

  it('is null without such an event', () => {
    expect(valueAfter(since, [event(5)], 9)).toBeNull();
  });

  it('is in seconds of event time since the newest', () => {
    expect(valueAfter(since, [purchase(5_000), purchase(1_000), event(8_000)], 8_500)).toBe(3.5);
    expect(valueAfter(since, [purchase(5_000)])).toBe(0);
  });

  it('of a late decision counts from the newest before it', () => {
    expect(valueAfter(since, [purchase(1_000), purchase(5_000)], 3_000)).toBe(2);
  });
});
