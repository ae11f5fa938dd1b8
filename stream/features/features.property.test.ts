import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeatureValue } from '../../schemas/index.ts';
import { referenceSession, referenceValue } from '../../tests/reference/features.ts';
import { config, feature, where } from '../../tests/support/features.ts';
import { type FeatureEvent, makeFeatureSet, type SubjectState } from './index.ts';

/** More by PRESAGE_PROPERTY_RUNS=20000; a case takes up to 20 ms. */
const runs = Number(process.env.PRESAGE_PROPERTY_RUNS ?? 500);
const timeout = 300_000 + runs * 50;
const second = 1_000;
const cheap = where('event.price < 5', ({ price }) => (typeof price === 'number' ? price < 5 : null));
const small = { bucketMs: 5 * second, buckets: 4 };
const wide = { bucketMs: 60 * second, buckets: 20 };

const step = (...of: (string | typeof cheap)[]) => ({
  types: new Set(of.filter((one) => typeof one === 'string')),
  where: of.find((one) => typeof one === 'object') ?? null,
});
const views = {
  windowMs: 300 * second,
  withinMs: 90 * second,
  keys: 128,
  of: ['view', 'click', '$outcome'],
  steps: [step('view'), step('click', 'view')],
};

const features = [
  feature('count', 'count', small),
  feature('count_clicks', 'count', { ...wide, of: ['click'] }),
  feature('count_outcomes', 'count', { ...small, of: ['$outcome', 'click'] }),
  feature('count_by', 'count', { ...small, by: 'item' }),
  feature('sum', 'sum', { ...wide, property: 'price' }),
  feature('sum_cheap', 'sum', { ...small, property: 'price', scale: 2, where: cheap }),
  feature('sum_by', 'sum', { ...wide, property: 'price', by: 'item', of: ['view', '$outcome'] }),
  feature('min', 'min', { ...small, property: 'price' }),
  feature('max', 'max', { ...wide, property: 'price', scale: 0 }),
  feature('max_by', 'max', { ...small, property: 'price', by: 'item' }),
  feature('mean', 'mean', { ...wide, property: 'price' }),
  feature('mean_by', 'mean', { ...small, property: 'price', by: 'item' }),
  feature('last', 'last', { property: 'item' }),
  feature('last_price', 'last', { property: 'price', propertyType: 'number', of: ['click'] }),
  feature('last_n', 'last_n', { property: 'item', n: 3 }),
  feature('distinct', 'distinct', { ...small, property: 'item', max: 10 }),
  feature('time_since', 'time_since', { of: ['click', '$outcome'] }),
  feature('session_count', 'session', { measure: 'count' }),
  feature('session_clicks', 'session', { measure: 'count', of: ['click'] }),
  feature('session_duration', 'session', { measure: 'duration', of: ['view'] }),
  feature('decay', 'decay', { bucketMs: 5 * second, buckets: 96, halfLifeMs: 20 * second }),
  feature('decay_price', 'decay', {
    bucketMs: 60 * second,
    buckets: 96,
    halfLifeMs: 240 * second,
    property: 'price',
    of: ['view', '$outcome'],
  }),
  feature('approx_distinct', 'approx_distinct', { ...small, property: 'item', precision: 8 }),
  feature('top_k', 'top_k', { ...wide, property: 'item', n: 2, keys: 8 }),
  feature('sequence', 'sequence', { ...views, measure: 'count' }),
  feature('sequence_since', 'sequence', { ...views, measure: 'since', by: 'item' }),
  feature('sequence_any', 'sequence', {
    ...views,
    measure: 'any',
    steps: [step('view'), step('click', '$outcome'), step('view', cheap)],
  }),
  feature('ratio', 'ratio', {
    derived: {
      inputs: ['count_clicks', 'count'],
      compute: ({ count, count_clicks }) =>
        Number(count) === 0 ? null : Number(count_clicks) / Number(count),
    },
  }),
];
/** A gap of 30 s and a window of 10 min, so that streams of half an hour have many sessions and forget some. */
const rules = { sessionGapMs: 30 * second, deduplicationMs: 600 * second };
const set = makeFeatureSet(config(features, rules));

const epoch = 1_700_000_000_000;
const price = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -40, max: 40 }).map((quarters) => quarters / 4) },
  { weight: 2, arbitrary: fc.constantFrom(1.005, 0.29, -1.005, 2.5, 1e-7, 4e11, -4e11) },
  { weight: 1, arbitrary: fc.constantFrom('7', null, undefined, true) },
);
const someEvent = fc.record({
  time: fc.oneof(
    fc.integer({ min: 0, max: 1_800 }).map((s) => epoch + s * second),
    fc.integer({ min: 0, max: 60_000 }).map((ms) => epoch + ms),
  ),
  type: fc.constantFrom('view', 'view', 'click', '$outcome'),
  session: fc.constantFrom(null, null, 'tab-1', 'tab-2'),
  properties: fc.record(
    { item: fc.constantFrom('a', 'b', 'ü', 7, '__proto__', false, null), price },
    { requiredKeys: [] },
  ),
});
const history = fc
  .array(someEvent, { minLength: 1, maxLength: 40 })
  .map((events) => events.map((one, index): FeatureEvent => ({ ...one, id: `id-${(index * 7) % 41}` })));

/** Any order in which no event comes later than the de-duplication window allows. */
function arrivals(events: readonly FeatureEvent[], keys: readonly number[]): FeatureEvent[] {
  const lateness = rules.deduplicationMs;
  return events
    .map((event, index) => ({ event, seen: event.time + ((keys[index % keys.length] ?? 0) % 1) * lateness }))
    .sort((a, b) => a.seen - b.seen)
    .map(({ event }) => event);
}

const inTimeOrder = (events: readonly FeatureEvent[]): FeatureEvent[] =>
  [...events].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));

function pass(events: readonly FeatureEvent[], each: (state: SubjectState) => SubjectState = (s) => s) {
  let state = set.empty();
  for (const [position, event] of events.entries()) {
    set.update(state, event, position);
    state = each(state);
  }
  return state;
}

/** The state's bytes with the position put to a common one, by a repeat of its newest event. */
function bytesOf(state: SubjectState, events: readonly FeatureEvent[]): string {
  const newest = inTimeOrder(events).at(-1)!;
  expect(set.update(state, newest, 1_000_000)).toBe(false);
  return Buffer.from(set.encode(state)).toString('hex');
}

const keys = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 40 });

describe('the state of a subject', { timeout }, () => {
  it('ends the same whatever the order, repetition and splitting of its events', () => {
    fc.assert(
      fc.property(history, keys, keys, fc.nat(), (events, order, again, restartEvery) => {
        const clean = pass(inTimeOrder(events));
        const first = arrivals(events, order);
        // Each event a second time, at a later place of its own that is still within the window.
        const repeated = arrivals([...events, ...events], [...order, ...again]);
        const restarted = (state: SubjectState) =>
          state.position % ((restartEvery % 7) + 1) === 0 ? set.decode(set.encode(state)) : state;
        const expected = bytesOf(clean, events);
        expect(bytesOf(pass(first), events)).toBe(expected);
        expect(bytesOf(pass(repeated, restarted), events)).toBe(expected);
      }),
      { numRuns: runs },
    );
  });

  it('is that of all events when two halves are merged, if they lie within one de-duplication window', () => {
    const close = history.map((events) =>
      events.map((one) => ({ ...one, time: epoch + ((one.time - epoch) % rules.deduplicationMs) })),
    );
    fc.assert(
      fc.property(close, keys, (events, sides) => {
        const isLeft = (index: number): boolean => (sides[index % sides.length] ?? 0) < 0.5;
        const left = pass(events.filter((_, index) => isLeft(index)));
        set.merge(left, pass(events.filter((_, index) => !isLeft(index))));
        expect(bytesOf(left, events)).toBe(bytesOf(pass(inTimeOrder(events)), events));
      }),
      { numRuns: runs },
    );
  });

  it('survives encoding and decoding at any point', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: -60, max: 1_860 }), (events, ask) => {
        const kept = pass(events);
        const stored = pass(events, (state) => set.decode(set.encode(state)));
        expect(set.encode(stored)).toEqual(set.encode(kept));
        expect(set.read(stored, epoch + ask * second)).toEqual(set.read(kept, epoch + ask * second));
        expect([stored.position, stored.newest, stored.session]).toEqual([
          kept.position,
          kept.newest,
          kept.session,
        ]);
      }),
      { numRuns: runs },
    );
  });
});

function expectDefined(state: SubjectState, soFar: readonly FeatureEvent[], at: number): void {
  const stored = features.filter(({ derived }) => derived === null);
  const expected = Object.fromEntries(
    stored.map((each) => [each.name, referenceValue(each, soFar, at, rules) as FeatureValue]),
  );
  for (const { name, derived } of features) if (derived !== null) expected[name] = derived.compute(expected);
  const values = set.read(state, at);
  // The bound of docs/features.md: of amounts up to 4e11, in whatever sign, most cases have smaller ones.
  for (const name of ['decay', 'decay_price']) {
    const largest = soFar.some((one) => Math.abs(Number(one.properties.price)) > 1e6) ? 4e11 : 1e3;
    expect(Math.abs(Number(values[name]) - Number(expected[name]))).toBeLessThan(1e-6 * largest * 2);
    expected[name] = values[name] ?? null;
  }
  expect({ at, ...values }).toEqual({ at, ...expected });
  if (!Number.isFinite(state.newest)) return;
  const unique = [...new Map(soFar.map((one) => [one.id, one])).values()];
  expect(state.session).toBe(referenceSession(unique, state.newest, rules)?.id ?? null);
}

describe('the values of features', { timeout }, () => {
  it('are those of the definition, computed from all events so far, at any time', () => {
    const ask = fc.array(fc.integer({ min: -60, max: 1_860 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(history, keys, ask, (events, order, asks) => {
        const arrived = arrivals([...events, ...events], order);
        const state = set.empty();
        const soFar: FeatureEvent[] = [];
        for (const event of arrived) {
          soFar.push(event);
          set.update(state, event, soFar.length);
          // As a decision on this event reads them, mostly at a time before the newest event.
          expectDefined(state, soFar, event.time);
        }
        for (const at of [state.newest, ...asks.map((s) => epoch + s * second)])
          if (Number.isFinite(at)) expectDefined(state, soFar, at);
      }),
      { numRuns: runs },
    );
  });

  it('do not change by being read', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: -60, max: 10_000 }), (events, ask) => {
        const state = pass(events);
        const before = set.encode(state);
        set.read(state, epoch + ask * second);
        expect(set.encode(state)).toEqual(before);
      }),
      { numRuns: runs },
    );
  });
});
