import { describe, expect, it } from 'vitest';
import { config, event, feature } from '../../tests/support/features.ts';
import { makeFeatureSet } from './index.ts';

const count = feature('events', 'count', { bucketMs: 1_000, buckets: 60 });
const set = makeFeatureSet(config([count]));

describe('a feature set', () => {
  it('begins with a state of nothing', () => {
    const state = set.empty();
    expect([state.position, state.newest, state.session]).toEqual([-1, -Infinity, null]);
    expect(set.read(set.decode(set.encode(state)), 0)).toEqual({ events: 0 });
  });

  it('skips a position that the state already reflects and changes nothing', () => {
    const state = set.empty();
    set.update(state, event(1_000), 7);
    const before = set.encode(state);
    expect(set.update(state, event(9_000), 7)).toBe(false);
    expect(set.update(state, event(9_000), 3)).toBe(false);
    expect(set.encode(state)).toEqual(before);
  });

  it('takes the position of a repeat and nothing else', () => {
    const state = set.empty();
    set.update(state, event(1_000, { id: 'once' }), 0);
    expect(set.update(state, event(5_000, { id: 'once' }), 1)).toBe(false);
    expect([state.position, state.newest, set.read(state, 5_000).events]).toEqual([1, 1_000, 1]);
  });

  it('counts a repeat again that comes after its de-duplication window', () => {
    const short = makeFeatureSet(config([count], { deduplicationMs: 10_000 }));
    const state = short.empty();
    const first = event(1_000, { id: 'once' });
    short.update(state, first, 0);
    short.update(state, event(11_000), 1);
    expect(short.update(state, first, 2), 'within the window').toBe(false);
    short.update(state, event(11_001), 3);
    expect(short.update(state, first, 4), 'beyond it').toBe(true);
  });

  it('remembers as many ids as the workspace says', () => {
    const few = makeFeatureSet(config([count], { deduplicationIds: 16 }));
    const state = few.empty();
    for (let i = 0; i < 17; i++) few.update(state, event(i, { id: `n${i}` }), i);
    expect(few.update(state, event(1, { id: 'n1' }), 17)).toBe(false);
    expect(few.update(state, event(0, { id: 'n0' }), 18)).toBe(true);
  });

  it('gives values in workspace order', () => {
    const names = ['b', 'a', 'c'];
    const some = makeFeatureSet(config(names.map((name) => feature(name, 'time_since'))));
    expect(Object.keys(some.read(some.empty(), 0))).toEqual(names);
  });

  it('evaluates a condition once per event, however many features have it', () => {
    let evaluated = 0;
    const condition = {
      text: 'event.ok',
      reads: [],
      readsAction: false,
      evaluate: () => {
        evaluated++;
        return { kind: 'value' as const, value: true };
      },
      saw: () => ({}),
    };
    const two = ['a', 'b'].map((name, i) =>
      feature(name, 'count', { bucketMs: 1_000, buckets: 5 + i, where: condition, of: ['click'] }),
    );
    const some = makeFeatureSet(config(two));
    const state = some.empty();
    some.update(state, event(1, { type: 'click' }), 0);
    some.update(state, event(2, { type: 'view' }), 1);
    expect(evaluated).toBe(1);
    expect(some.read(state, 2)).toEqual({ a: 1, b: 1 });
  });
});
