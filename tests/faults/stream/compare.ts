import { expect } from 'vitest';
import type { Outcome } from './rig.ts';

/** The long forms, as `npm run test:faults` runs them. */
export const isFull = process.env.PRESAGE_FULL === '1';

/** Nothing that was done to the stream may show in what it leaves behind. */
export function expectSame(rough: Outcome, calm: Outcome): void {
  expect([...rough.decisions.keys()].sort()).toEqual([...calm.decisions.keys()].sort());
  for (const [id, content] of calm.decisions) expect(rough.decisions.get(id)).toBe(content);
  expect([...rough.dead.keys()].sort()).toEqual([...calm.dead.keys()].sort());
  expect(rough.findings).toBe(calm.findings);
  expect([...rough.state.keys()].sort()).toEqual([...calm.state.keys()].sort());
  for (const [key, bytes] of calm.state) expect(`${key} ${rough.state.get(key)}`).toBe(`${key} ${bytes}`);
}
