import { describe, expect, it } from 'vitest';
import { timeLeft, whyReviewed } from './words.ts';

const minute = 60_000;

describe('the words of a review', () => {
  it('say how long is left', () => {
    const left = [-1, 0, 1, 59_001, minute, 59 * minute, 60 * minute, 185 * minute, 49 * 60 * minute];
    expect(left.map((ms) => timeLeft(1_000 + ms, 1_000))).toEqual([
      'over',
      'over',
      '1 s',
      '60 s',
      '1 min',
      '59 min',
      '1 h',
      '3 h 5 min',
      '2 d',
    ]);
  });

  it('say why a person is asked', () => {
    const summary = { reason: 'gate', confidence: null, threshold: 0.85 } as const;
    const why = (changes: object) => whyReviewed({ ...summary, ...changes } as never);
    expect(why({})).toMatch(/^Nothing says yet how sure we can be that it is right; 85/);
    expect(why({ confidence: 0.7 })).toMatch(/^We are 70.* sure that it is right; 85/);
    expect(why({ reason: 'sample', confidence: 0.9 })).toMatch(/was executed/);
  });
});
