import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { makeBodyBudget } from './body.ts';

describe('the budget of bodies', () => {
  it('refuses what would not fit, and has room again when a request ends', () => {
    const budget = makeBodyBudget(100);
    const [first, second] = [{} as IncomingMessage, {} as IncomingMessage];
    budget.take(first, 40);
    budget.take(first, 40);
    expect(() => budget.take(second, 21)).toThrow(
      expect.objectContaining({ code: 'overloaded', retriable: true }),
    );
    expect(budget.used).toBe(80);
    budget.giveBack(first);
    budget.giveBack(first);
    budget.giveBack(second);
    expect(budget.used).toBe(0);
    budget.take(second, 100);
    expect(budget.used).toBe(100);
  });
});
