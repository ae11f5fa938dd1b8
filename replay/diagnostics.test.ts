import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnostics.ts';
import type { Sample } from './estimators/sample.ts';
import { weightsOf } from './estimators/weights.ts';
import { unitsOf } from './intervals/units.ts';
import type { LoggedDecision } from './log/decision.ts';
import { DecisionLogWriter } from './log/decision-log.ts';
import { policyOfRows } from './policy/policy.ts';

const decision: LoggedDecision = {
  action: 'a',
  position: '0',
  propensity: 0.5,
  reward: 1,
  policy: { a: 0.7, b: 0.2, c: 0.1 },
  deterministic: false,
};

function diagnosed(rows: readonly Partial<LoggedDecision>[]) {
  const writer = new DecisionLogWriter();
  for (const row of rows) writer.add({ ...decision, ...row });
  const log = writer.finish();
  const policy = policyOfRows(log.policy!, 'target');
  const sample: Sample = {
    rows: log.rows,
    decisions: log.rows,
    reward: log.reward,
    ...weightsOf(log, policy, 'independent', null),
    group: null,
    groups: 1,
  };
  return diagnose(log, policy, sample, unitsOf(sample, log.subject, null));
}

describe('what the policy does outside the log', () => {
  it('is what the log never chose at that position', () => {
    expect(diagnosed([{}, { action: 'b' }]).outsideSupport).toBeCloseTo(0.1, 12);
    expect(diagnosed([{}, { action: 'b' }, { action: 'c' }]).outsideSupport).toBe(0);
    expect(diagnosed([{}, { action: 'b', position: '1' }]).outsideSupport).toBeCloseTo((0.3 + 0.8) / 2, 12);
  });

  it('is what could not be chosen in the row, where the row says what could', () => {
    const all = [{ action: 'b' }, { action: 'c' }];
    expect(diagnosed([...all, { actions: ['a', 'b'] }]).outsideSupport).toBeCloseTo(0.1 / 3, 12);
  });

  it('is what had no probability, where the row has the whole distribution', () => {
    const propensities = { a: 0.5, b: 0.5, c: 0 };
    expect(diagnosed([{ action: 'b' }, { action: 'c' }, { propensities }]).outsideSupport).toBeCloseTo(
      0.1 / 3,
      12,
    );
    // Possible though it never happened.
    expect(diagnosed([{ propensities: { a: 0.5, b: 0.25, c: 0.25 } }]).outsideSupport).toBe(0);
  });
});

describe('the effective sample size', () => {
  it('is the number of rows where weights are alike, and 1 where one is all', () => {
    expect(diagnosed([{}, {}, {}, {}]).ess).toBeCloseTo(4, 12);
    const policy = { a: 1, b: 0 };
    expect(diagnosed([{ policy }, { action: 'b', policy }, { action: 'b', policy }]).ess).toBeCloseTo(1, 12);
  });

  it('of rewards counts how many equal ones they are worth', () => {
    expect(diagnosed([{}, {}, { reward: 0 }]).effectivePositives).toBeCloseTo(2, 12);
    expect(diagnosed([{ reward: 0 }]).effectivePositives).toBe(0);
  });
});

it('gives the mean weight the standard error of its subjects', () => {
  const rows = Array.from({ length: 40 }, (_, row) => ({ action: row < 20 ? 'a' : 'b' }));
  const alone = diagnosed(rows).weights;
  const two = diagnosed(rows.map((row) => ({ ...row, subject: row.action }))).weights;
  expect(alone.mean).toBeCloseTo((1.4 + 0.4) / 2, 12);
  expect(two.standardError).toBeGreaterThan(4 * alone.standardError);
});
