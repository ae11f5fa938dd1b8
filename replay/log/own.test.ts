import { describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../schemas/index.ts';
import { nothing, ownDecision } from './own.ts';

const record = {
  id: 'd1',
  subject: 'u:ann',
  action: 'help',
  available: ['help', 'offer'],
  choicePropensity: 0.4,
  deterministic: false,
  recorded: true,
  mode: 'act',
  features: { visits: 3, tags: ['a'], none: null },
  context: { page: 'home' },
} as unknown as DecisionRecord;
const answers = (shown: readonly string[], rewarded: readonly string[] = []) => ({
  shown: new Set(shown),
  rewarded: new Set(rewarded),
});
const decisionsOf = (of: object, shown: readonly string[], rewarded: readonly string[] = []) => {
  const own = ownDecision({ ...record, ...of } as DecisionRecord, answers(shown, rewarded));
  return own.kind === 'decisions' ? own.decisions : own.why;
};

describe('a decision of our own', () => {
  it('that was shown is a logged choice, rewarded where the outcome came of it', () => {
    expect(decisionsOf({}, ['help'], ['help'])).toEqual([
      {
        action: 'help',
        propensity: 0.4,
        position: '0',
        subject: 'u:ann',
        reward: 1,
        actions: ['help', 'offer'],
        context: { visits: 3, none: null, page: 'home' },
        deterministic: false,
      },
    ]);
    expect(decisionsOf({}, ['help'])).toMatchObject([{ reward: 0 }]);
  });

  it('to offer nothing is one, with no reward', () => {
    expect(decisionsOf({ action: null }, [])).toMatchObject([
      { action: nothing, reward: 0, actions: ['help', 'offer', nothing] },
    ]);
  });

  it('could have been to offer nothing, where that was a candidate', () => {
    expect(decisionsOf({ nothing: { priority: 1, rank: 2 } }, ['help'])).toMatchObject([
      { action: 'help', actions: ['help', 'offer', nothing] },
    ]);
  });

  it('that nobody saw has no label', () => {
    expect(decisionsOf({}, [])).toBe('not shown');
    expect(decisionsOf({}, ['offer'])).toBe('not shown');
    for (const mode of ['observe', 'stopped', 'holdout', 'review'])
      expect(decisionsOf({ mode }, ['help'])).toBe('not delivered');
    expect(decisionsOf({ recorded: false }, ['help'])).toBe('not delivered');
  });

  it('of several slots is a slate, with what was left for each and its marginal', () => {
    const slots = [
      { action: 'help', mode: 'act', available: ['help', 'offer'], choicePropensity: 0.4, marginal: 0.4 },
      { action: 'offer', mode: 'act', available: ['offer'], choicePropensity: 1, marginal: 0.7 },
    ];
    expect(decisionsOf({ slots }, ['help', 'offer'], ['offer'])).toMatchObject([
      { slate: 'd1', position: '0', action: 'help', propensity: 0.4, marginal: 0.4, reward: 0 },
      {
        slate: 'd1',
        position: '1',
        action: 'offer',
        propensity: 1,
        marginal: 0.7,
        reward: 1,
        actions: ['offer'],
      },
    ]);
    expect(decisionsOf({ slots }, ['help'])).toBe('not shown');
    const observed = slots.map((slot, k) => ({ ...slot, mode: k === 1 ? 'observe' : 'act' }));
    expect(decisionsOf({ slots: observed }, ['help', 'offer'])).toBe('not delivered');
  });
});
