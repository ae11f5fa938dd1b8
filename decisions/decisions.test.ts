import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resolution } from '../schemas/index.ts';
import type { RuleStage } from '../workspace/index.ts';
import { above, action, question, rule, scores } from './decisions.fixture.ts';
import { arbitrate, consider, decide as decideBy, type Question, type Scores } from './index.ts';

function decide(asked: Question, given: Scores, resolution: (choices: number) => Resolution) {
  return decideBy(asked, {
    score: () => given,
    resolve: ({ choices }) => resolution(choices.length),
    decidedAt: asked.receivedAt,
  });
}
const allHaveRoom = (choices: number): Resolution => ({
  slots: [{ chosen: choices > 0 ? 0 : -1, available: Array.from({ length: choices }, (_, i) => i) }],
  capsSeen: [],
});
const verdicts = (record: ReturnType<typeof decide>) =>
  Object.fromEntries(
    record.candidates.map(({ action: name, verdict }) => [name, `${verdict.stage}: ${verdict.rule}`]),
  );

describe('a decision', () => {
  it('takes the highest P x C x V x L and says why each other candidate was not taken', () => {
    const record = decide(
      question(
        [
          action('cheap', { value: 1 }),
          action('rich', { value: 5 }),
          action('rule', { rules: [rule('eligibility', above('cart', 50))] }),
        ],
        { features: { cart: 20 } },
      ),
      scores(0.5, 0.2),
      allHaveRoom,
    );
    expect(record.action).toBe('rich');
    expect(verdicts(record)).toEqual({
      rich: 'chosen: chosen',
      cheap: 'arbitration: outranked',
      rule: 'eligibility: cart > 50',
    });
    expect(record.candidates.find((c) => c.action === 'rule')?.verdict.saw).toEqual({ cart: 20 });
    expect(record.candidates[0]?.score).toEqual({
      acceptProbability: 0.2,
      contextWeight: 1,
      value: 5,
      lever: 1,
      priority: 1,
    });
  });

  it('puts a candidate out that needs a value the subject does not have', () => {
    const record = decide(
      question([action('needs', { rules: [rule('eligibility', above('cart', 50))] })]),
      scores(),
      allHaveRoom,
    );
    expect(record.action).toBeNull();
    expect(verdicts(record)).toEqual({ needs: 'eligibility: missing: cart' });
  });

  it('refuses a value that is not above zero, by name', () => {
    const record = decide(question([action('free', { value: 0 })]), scores(), allHaveRoom);
    expect(verdicts(record)).toEqual({ free: 'arbitration: value must be above 0, is 0' });
  });

  it('puts a candidate out at the first stage whose rule does not hold', () => {
    const features = { cart: 20, age: 17, page: 3 };
    const at = (stage: RuleStage, ...later: RuleStage[]) =>
      action(stage, { rules: [stage, ...later].map((one) => rule(one, above('cart', 50))) });
    const record = decide(
      question(
        [
          at('eligibility', 'applicability', 'suitability'),
          at('applicability', 'suitability'),
          at('suitability'),
          action('all', {
            rules: [rule('eligibility', above('cart', 1)), rule('applicability', above('page', 1))],
          }),
        ],
        { features },
      ),
      scores(0.5),
      allHaveRoom,
    );
    expect(verdicts(record)).toEqual({
      all: 'chosen: chosen',
      eligibility: 'eligibility: cart > 50',
      applicability: 'applicability: cart > 50',
      suitability: 'suitability: cart > 50',
    });
  });

  it('puts a candidate out at scoring whose probability is none', () => {
    const record = decide(
      question([action('none'), action('odd'), action('fine')]),
      scores(Number.NaN, 1.5, 0.5),
      allHaveRoom,
    );
    expect(verdicts(record)).toEqual({
      fine: 'chosen: chosen',
      none: 'scoring: no score',
      odd: 'scoring: no score',
    });
  });

  it('holds what it is not confident of for review: chosen, but not to be executed, and from no cap', () => {
    const gate = {
      target: 'right',
      threshold: 0.85,
      isReversible: false,
      sample: 0.02,
      escalateMs: 60_000,
      withinMs: 600_000,
      calibration: null,
    } as const;
    const caps = [{ id: 'refund/session', per: 'session', limit: 1, windowMs: null }] as const;
    const asked = question([action('refund', { gate, caps })]);
    const record = decide(asked, scores(0.99), allHaveRoom);
    expect(record).toMatchObject({ action: 'refund', mode: 'review' });
    expect(record.candidates[0]?.verdict).toEqual({
      stage: 'gate',
      rule: 'not confident: right needs 0.85',
      saw: { confidence: null, threshold: 0.85, labels: 0 },
    });
    expect(record.review).toEqual({
      reason: 'gate',
      probability: 1,
      confidence: null,
      threshold: 0.85,
      escalatesAt: 1_060_000,
      expiresAt: 1_600_000,
    });
    expect(arbitrate(asked, consider(asked), scores(0.99), 0).choices[0]?.caps).toEqual([]);
  });

  it('passes over a candidate whose cap is full and shows how full', () => {
    const full = { cap: 'first/session', action: 'first', used: 1, limit: 1 };
    const record = decide(
      question([
        action('first', {
          value: 9,
          caps: [{ id: 'first/session', per: 'session', limit: 1, windowMs: null }],
        }),
        action('second'),
      ]),
      scores(0.5, 0.5),
      () => ({ slots: [{ chosen: 1, available: [1] }], capsSeen: [full] }),
    );
    expect(record.action).toBe('second');
    expect(record.available).toEqual(['second']);
    expect(record.candidates[0]?.verdict).toEqual({
      stage: 'constraints',
      rule: 'first/session',
      saw: { used: 1, limit: 1 },
    });
  });

  it('breaks ties in the order of the workspace file', () => {
    expect(decide(question([action('a'), action('b')]), scores(0.5, 0.5), allHaveRoom).action).toBe('a');
  });

  it('is recorded but takes nothing from caps while actions are stopped', () => {
    const asked = question(
      [action('x', { caps: [{ id: 'x/session', per: 'session', limit: 1, windowMs: null }] })],
      { stopped: true },
    );
    const draft = arbitrate(asked, consider(asked), scores(0.5), 0);
    expect(draft.choices[0]).toMatchObject({ mode: 'stopped', caps: [] });
  });

  it('marks an observed action, so that nobody delivers it', () => {
    expect(decide(question([action('x', { mode: 'observe' })]), scores(0.5), allHaveRoom).mode).toBe(
      'observe',
    );
  });

  it('offers until its placement says, counted from the event time', () => {
    expect(decide(question([action('x')]), scores(0.5), allHaveRoom).offer?.expiresAt).toBe(1_060_000);
  });

  it('evaluates an expression that reads nothing of the candidate once', () => {
    let evaluations = 0;
    const shared = {
      ...above('cart', 1),
      evaluate: () => {
        evaluations++;
        return { kind: 'value', value: true } as const;
      },
    };
    consider(
      question([
        action('a', { rules: [rule('suitability', shared)] }),
        action('b', { rules: [rule('suitability', shared)] }),
      ]),
    );
    expect(evaluations).toBe(1);
  });

  it('gives every candidate exactly one verdict, and is the same each time', () => {
    const actions = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-z]{1,6}$/),
        value: fc.double({ min: -1, max: 10, noNaN: true }),
        limit: fc.option(fc.integer({ min: 0, max: 100 })),
      }),
      { selector: (a) => a.name, maxLength: 12 },
    );
    fc.assert(
      fc.property(
        actions,
        fc.option(fc.integer({ min: 0, max: 100 })),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (list, cart, probabilities) => {
          const asked = question(
            list.map(({ name, value, limit }) =>
              action(name, {
                value,
                rules: limit === null ? [] : [rule('eligibility', above('cart', limit))],
              }),
            ),
            { features: { cart } },
          );
          const given = scores(...[...probabilities.take(list.length)]);
          const record = decide(asked, given, allHaveRoom);
          expect(record.candidates.map((c) => c.action).sort()).toEqual(list.map((a) => a.name).sort());
          expect(record.candidates.filter((c) => c.verdict.stage === 'chosen')).toHaveLength(
            record.action === null ? 0 : 1,
          );
          const priorities = record.candidates.flatMap((c) => c.score?.priority ?? []);
          expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
          expect(JSON.stringify(decide(asked, given, allHaveRoom))).toBe(JSON.stringify(record));
        },
      ),
      { numRuns: 300 },
    );
  });
});
