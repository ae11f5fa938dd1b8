import { describe, expect, it } from 'vitest';
import type { Candidate, DecisionDetail, DecisionRecord } from '../../../../schemas/index.ts';
import { decisionIds, detailOf } from '../../../dev/record.ts';
import { deliverySteps, explorationWords, holdoutWords, summarize } from './summary.ts';
import { inOrder, stageStates, verdictWords } from './verdict.ts';

const now = Date.UTC(2026, 4, 1, 12);
const detail = (id: string): DecisionDetail => {
  const found = detailOf('demo', id, now);
  if (found === null) throw new Error(`the fixtures have no ${id}`);
  return found;
};
const { decision } = detail(decisionIds.accepted);
const candidate = (action: string): Candidate => {
  const found = decision.candidates.find((one) => one.action === action);
  if (found === undefined) throw new Error(`the fixtures have no ${action}`);
  return found;
};
const said = (one: Candidate, of: DecisionRecord = decision): string => {
  const { before, code, after } = verdictWords(one, of);
  return `${before}${code ?? ''}${after}`;
};
const out = (verdict: Candidate['verdict']): Candidate => ({ action: 'x', verdict });

describe('a verdict in words', () => {
  it('names the rule, the cap, the missing value or the winner', () => {
    expect(decision.candidates.map((one) => said(one))).toEqual([
      'Cap full: bundle_discount/session – 1 of 1 used at the commit.',
      'Chosen: the highest priority among those whose caps had room (bundle_discount ranked higher).',
      'Outranked: priority 1.282 against 1.896 of free_shipping.',
      'Outranked: priority 0.0372 against 1.896 of free_shipping.',
      'Not eligible: orders_90d >= 1.0 && days_away > 30.0 does not hold.',
      'Not eligible: missing: last_out_of_stock – there is no such value yet, and none is assumed.',
    ]);
  });

  it('covers every stage', () => {
    expect(said(out({ stage: 'suitability', rule: 'age >= 18.0', saw: {} }))).toBe(
      'Not suitable: age >= 18.0 does not hold.',
    );
    expect(said(out({ stage: 'applicability', rule: 'missing: page', saw: {} }))).toMatch(
      /^Not applicable: missing: page/,
    );
    expect(said(out({ stage: 'constraints', rule: 'no room', saw: {} }))).toBe(
      'A cap had no room at the commit: no room.',
    );
    expect(said(out({ stage: 'arbitration', rule: 'value must be above 0, is -1', saw: {} }))).toBe(
      'Out at arbitration: value must be above 0, is -1.',
    );
    expect(
      said(out({ stage: 'gate', rule: 'not confident: right needs 0.85', saw: { confidence: null } })),
    ).toBe(
      'Chosen, but not executed: not confident: right needs 0.85 – nothing says yet how sure we can be.',
    );
    const constraint = (rule: string, saw: Candidate['verdict']['saw']) =>
      said(out({ stage: 'constraints', rule, saw }));
    expect(constraint('x/budget', { used: 3, limit: 3, budget: 100 })).toBe(
      'Budget used up: x/budget – 3 of 3 that its partition has of 100 were used at the commit.',
    );
    expect(constraint('!offers/x', { used: 1, limit: 1 })).toBe(
      'Excluded by another action of its group: !offers/x.',
    );
    expect(constraint('!:dismissed/x', { used: 1, limit: 1 })).toBe(
      'Kept back after it was dismissed: !:dismissed/x.',
    );
    expect(constraint('no consent: marketing', { 'consent.marketing': null })).toBe(
      'Out by a constraint: no consent: marketing – consent.marketing not known.',
    );
    expect(constraint('quiet hours 22:00-08:00', { local_time: '22:30', timezone: 'Europe/Paris' })).toBe(
      'Out by a constraint: quiet hours 22:00-08:00 – local_time 22:30, timezone Europe/Paris.',
    );
    expect(said(out({ stage: 'eligibility', rule: 'error: no such key', saw: {} }))).toBe(
      'Not eligible: its rule failed with no such key.',
    );
    expect(said(out({ stage: 'scoring', rule: 'missing: age', saw: {} }))).toMatch(
      /^Out at scoring: missing: age/,
    );
  });

  it('shows a full cap as met at the commit: after score and rank', () => {
    expect(stageStates(candidate('bundle_discount'))).toEqual([
      'passed',
      'passed',
      'passed',
      'out',
      'passed',
      'passed',
      'unreached',
      'unreached',
    ]);
    expect(stageStates(candidate('win_back'))).toEqual(['out', ...Array(7).fill('unreached')]);
    expect(stageStates(candidate('free_shipping'))).toEqual(Array(8).fill('passed'));
  });

  it('stands in the order of rank, then of how far they came', () => {
    const shuffled = [...decision.candidates].reverse();
    expect(inOrder(shuffled).map(({ rank }) => rank)).toEqual([1, 2, 3, 4, undefined, undefined]);
  });
});

describe('a drawn decision', () => {
  const explored: DecisionRecord = {
    ...decision,
    exploration: { kind: 'softmax', temperature: 0.5, uniform: 0.06 },
    choicePropensity: 0.25,
    deterministic: false,
  };

  it('says how likely the choice was, and who was not drawn', () => {
    expect(said(candidate('free_shipping'), explored)).toBe(
      'Chosen: drawn with a chance of 25.0% among those that had room.',
    );
    const passed = { ...candidate('bundle_discount'), drawn: 3 };
    const verdict = { stage: 'exploration', rule: 'not drawn', saw: {} } as const;
    expect(said({ ...passed, verdict }, explored)).toMatch(
      /^Not drawn: priority [\d.]+ against 1.896 of free_shipping, place 3 in the draw\. The policy explores\.$/,
    );
  });

  it('says how it was drawn, and who is held out', () => {
    expect(explorationWords(explored.exploration!)).toMatch(
      /^softmax at temperature 0.50*; in any order with 6(\.0)?%$/,
    );
    const arm = { arm: 'held_out', period: '2026-Q4', share: 0.05, unit: 'a:x', isMixed: true } as const;
    expect(holdoutWords(arm)).toMatch(
      /^held out in 2026-Q4 \(5(\.0)?% are held out\), by the lot of a:x; seen in both arms, left out of lift$/,
    );
    expect(summarize({ ...decision, mode: 'holdout' })).toMatch(
      /The subject is held out: recorded, not delivered\.$/,
    );
  });
});

describe('a decision in a sentence', () => {
  it('counts who went where and says who scored', () => {
    expect(summarize(decision)).toBe(
      '6 candidates: 2 put out by a rule, 1 without room in a cap, 2 outranked, 1 chosen. Scored by model offer_acceptance 3 in 0.84 ms.',
    );
    expect(summarize(detail(decisionIds.nothing).decision)).toBe(
      '6 candidates: 6 put out by a rule. None came as far as scoring. So nothing was offered.',
    );
    expect(summarize({ ...decision, mode: 'stopped' })).toMatch(
      /The stop switch was on: recorded, not delivered\.$/,
    );
    expect(summarize({ ...decision, recorded: false })).toMatch(/without a record in the log/);
    expect(summarize({ ...decision, rung: 'rules', rungReason: 'the budget was spent' })).toContain(
      'Scored by rules (the budget was spent) in 0.84 ms.',
    );
  });
});

describe('the delivery', () => {
  const names = (of: DecisionDetail, pushed: number | null, at = now) =>
    deliverySteps(of, pushed, at).map(({ name, state }) => `${name} ${state}`);

  it('goes from decided to outcome', () => {
    expect(names(detail(decisionIds.accepted), decision.timings.decidedAt + 2)).toEqual([
      'Decided done',
      'Pushed done',
      'Shown done',
      'Accepted done',
      'Converted done',
    ]);
  });

  it('does not invent the time of a push that nobody here saw', () => {
    expect(deliverySteps(detail(decisionIds.accepted), null, now)[1]).toMatchObject({
      name: 'Delivered',
      at: null,
    });
  });

  it('waits until the offer expires, and then says that it was never shown', () => {
    const waiting = detail(decisionIds.waiting);
    expect(names(waiting, null)).toEqual([
      'Decided done',
      'Pushed waiting',
      'Shown waiting',
      'Outcome waiting',
    ]);
    const later = now + 86_400_000;
    expect(names(waiting, null, later)).toEqual([
      'Decided done',
      'Pushed never',
      'Shown never',
      'Outcome never',
    ]);
  });

  it('says why nothing was delivered', () => {
    expect(names(detail(decisionIds.nothing), null)).toEqual(['Decided done', 'Nothing to deliver never']);
    expect(names(detail(decisionIds.observed), null)).toEqual(['Decided done', 'Not delivered never']);
  });
});
