import { describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../schemas/index.ts';
import { renderExplanation } from './explain.ts';

const decision = {
  subject: 'a:x',
  placement: 'banner',
  action: 'free_shipping',
  mode: 'act',
  rung: 'rules',
  rungReason: 'no_model',
  model: null,
  deterministic: true,
  candidates: [
    {
      action: 'free_shipping',
      verdict: { stage: 'chosen', rule: 'chosen', saw: {} },
      score: { acceptProbability: 0.2, contextWeight: 1, value: 6.5, lever: 1, priority: 1.3 },
      rank: 1,
    },
    { action: 'help', verdict: { stage: 'suitability', rule: 'age >= 18', saw: { age: null } } },
  ],
} as unknown as DecisionRecord;

describe('an explanation for people', () => {
  it('says what would be chosen, and each candidate on a line', () => {
    expect(renderExplanation(decision).split('\n')).toEqual([
      'a:x in banner: free_shipping',
      'scored by rules (no model); nothing was recorded',
      '',
      'free_shipping  1.  chosen: chosen  priority 1.3 = 0.2 x 1 x 6.5 x 1',
      'help               suitability: age >= 18 (saw age = nothing)',
    ]);
  });

  it('says that it was drawn, and for how many slots', () => {
    const slots = [{ action: 'free_shipping' }, { action: null }];
    const drawn = {
      ...decision,
      slots,
      deterministic: false,
      mode: 'holdout',
      exploration: { kind: 'softmax', uniform: 0.02 },
    };
    expect(
      renderExplanation(drawn as unknown as DecisionRecord)
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      'a:x in banner: free_shipping (mode holdout: not delivered)',
      'scored by rules (no model); nothing was recorded',
      'drawn by softmax: another time it may be another',
    ]);
  });
});
