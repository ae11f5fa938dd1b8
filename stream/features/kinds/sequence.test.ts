import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, feature, valueAfter, where } from '../../../tests/support/features.ts';

const step = (...types: string[]) => ({ types: new Set(types), where: null });
const minute = 60_000;
const shape = {
  windowMs: 60 * minute,
  withinMs: 10 * minute,
  keys: 16,
  steps: [step('add'), step('buy')],
};
const bought = feature('f', 'sequence', { ...shape, measure: 'count' });
const same = feature('f', 'sequence', { ...shape, measure: 'count', by: 'sku' });
const at = (minutes: number, type: string, sku = 'x') =>
  event(minutes * minute, { type, properties: { sku } });

describe('a sequence', () => {
  it('is 0, null or false without events', () => {
    expect(valueAfter(bought, [], 0)).toBe(0);
    expect(valueAfter({ ...bought, measure: 'since' }, [], 0)).toBeNull();
    expect(valueAfter({ ...bought, measure: 'any' }, [], 0)).toBe(false);
  });

  it('is one event after the other, in time, whatever comes first', () => {
    expect(valueAfter(bought, [at(1, 'add'), at(5, 'buy')])).toBe(1);
    expect(valueAfter(bought, [at(5, 'buy'), at(1, 'add')])).toBe(1);
    expect(valueAfter(bought, [at(1, 'buy'), at(5, 'add')])).toBe(0);
    expect(valueAfter(bought, [at(1, 'add'), at(11, 'buy')])).toBe(1);
    expect(valueAfter(bought, [at(1, 'add'), at(12, 'buy')])).toBe(0);
  });

  it('goes by the event id where times are equal', () => {
    const both = (add: string, buy: string) => [
      event(1, { id: buy, type: 'buy' }),
      event(1, { id: add, type: 'add' }),
    ];
    expect(valueAfter(bought, both('a', 'b'))).toBe(1);
    expect(valueAfter(bought, both('b', 'a'))).toBe(0);
  });

  it('tells how long ago the last was completed, and whether there was any', () => {
    const events = [at(1, 'add'), at(5, 'buy'), at(7, 'add')];
    expect(valueAfter({ ...bought, measure: 'since' }, events)).toBe(120);
    expect(valueAfter({ ...bought, measure: 'any' }, events)).toBe(true);
  });

  it('counts without overlap: an event is part of one', () => {
    expect(valueAfter(bought, [at(1, 'add'), at(2, 'add'), at(3, 'buy'), at(4, 'buy')])).toBe(1);
    expect(valueAfter(bought, [at(1, 'add'), at(2, 'buy'), at(3, 'add'), at(4, 'buy')])).toBe(2);
    const twice = feature('f', 'sequence', {
      ...shape,
      measure: 'count',
      steps: [step('view'), step('view')],
    });
    expect(
      valueAfter(
        twice,
        [1, 2, 3, 4, 5].map((time) => at(time, 'view')),
      ),
    ).toBe(2);
  });

  it('may ask for the same value of a property', () => {
    const events = [at(1, 'add', 'a'), at(2, 'buy', 'b'), at(3, 'add', 'b'), at(4, 'buy', 'a')];
    expect(valueAfter(same, events)).toBe(1);
    expect(valueAfter(bought, events)).toBe(2);
    expect(valueAfter(same, [event(1, { type: 'add' }), event(2, { type: 'buy' })])).toBe(0);
  });

  it('may have conditions, and steps that one event could both be', () => {
    const cheap = { types: new Set(['view']), where: where('event.sku == "c"', ({ sku }) => sku === 'c') };
    const f = feature('f', 'sequence', { ...shape, measure: 'count', steps: [step('view'), cheap] });
    expect(valueAfter(f, [at(1, 'view', 'c')])).toBe(0);
    expect(valueAfter(f, [at(1, 'view', 'd'), at(2, 'view', 'c')])).toBe(1);
    expect(valueAfter(f, [at(1, 'view', 'c'), at(2, 'view', 'd')])).toBe(0);
  });

  it('lies in the window from first to last', () => {
    const events = [at(1, 'add'), at(5, 'buy')];
    expect(valueAfter(bought, events, 60 * minute)).toBe(1);
    expect(valueAfter(bought, events, 61 * minute)).toBe(0);
    expect(valueAfter(bought, events, 3 * minute)).toBe(0);
    expect(valueAfter(bought, [...events, at(62, 'other')], 5 * minute)).toBe(0);
  });

  it('keeps the newest steps only, in any order', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.constantFrom('add', 'buy'));
    fc.assert(
      fc.property(fc.array(one, { minLength: 17, maxLength: 60 }), fc.func(fc.nat()), (list, rank) => {
        const events = list.map(([time, type]) => at(time, type));
        const newest = [...events].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1)).slice(-16);
        const shuffled = [...events].sort((a, b) => rank(a.id) - rank(b.id));
        expect(valueAfter(bought, shuffled, 50 * minute)).toBe(valueAfter(bought, newest, 50 * minute));
      }),
      { numRuns: 300 },
    );
  });
});
