import { describe, expect, it } from 'vitest';
import type { CapTake, DecisionRecord, Resolution } from '../../schemas/index.ts';
import { noCaps, resolveChoices } from '../../stream/state/caps.ts';
import type { CompiledAction, CompiledExploration, Expression } from '../../workspace/index.ts';
import { action, question, scores } from '../decisions.fixture.ts';
import { arbitrate, consider, type Draft, finishDecision, shownOf } from '../index.ts';

const always = (value: number): Expression<number> => ({
  text: String(value),
  reads: [],
  readsAction: true,
  evaluate: () => ({ kind: 'value', value }),
  saw: () => ({}),
});
/** Of the candidate: `action.<name>`. */
const attribute = (name: string): Expression<number> => ({
  ...always(0),
  text: `action.${name}`,
  evaluate: (scope) => ({ kind: 'value', value: Number(scope.action?.[name]) }),
});

const perSession = (id: string, limit: number) => ({ id, per: 'session', limit, windowMs: null }) as const;
/** The fifth and the sixth exclude each other. */
const excludes = { id: '!tone/', per: 'session', limit: 1, windowMs: null, role: 'exclude' } as const;
/** Six actions; the best is full at the commit, and two others share a cap with room for one. */
const actions: readonly CompiledAction[] = [
  action('best', { value: 6, attributes: { alpha: 12, beta: 10 }, caps: [perSession('best', 1)] }),
  action('second', { value: 4, attributes: { alpha: 6, beta: 8 }, caps: [perSession('pair', 1)] }),
  action('third', { value: 3, attributes: { alpha: 3, beta: 5 } }),
  action('fourth', { value: 3, attributes: { alpha: 1, beta: 1 }, caps: [perSession('pair', 1)] }),
  action('fifth', {
    value: 1.5,
    attributes: { alpha: 4, beta: 2 },
    caps: [{ ...excludes, id: '!tone/kind' }],
  }),
  action('sixth', {
    value: 0.5,
    attributes: { alpha: 20, beta: 2 },
    caps: [{ ...excludes, id: '!tone/firm' }],
  }),
];
const takenBefore: CapTake = { cap: 'best', session: 's1', limit: 1, windowMs: null, at: 1_000_000 };

/** What the commit does, in the memory adapter: a test holds it to the Lua (stream/state/caps.property.test.ts). */
function commit({ choices, slots }: Draft): Resolution {
  const caps = noCaps();
  resolveChoices(caps, [{ action: 'best', caps: [takenBefore], offer: null, mode: 'act' }]);
  return resolveChoices(caps, choices, slots);
}

interface Asked {
  readonly exploration?: CompiledExploration;
  readonly slots?: number;
  readonly nothing?: number;
}

function draftOf(id: string, { exploration, slots, nothing }: Asked, of = actions): Draft {
  const plain = question(of, { id });
  const placement = {
    ...plain.placement,
    ...(exploration && { exploration }),
    ...(slots && { slots }),
    ...(nothing && { nothing }),
  };
  const asked = { ...plain, placement };
  return arbitrate(asked, consider(asked), scores(...of.map(() => 0.2)), 1_000_000);
}

function decideBy(id: string, asked: Asked, of = actions): DecisionRecord {
  const draft = draftOf(id, asked, of);
  return finishDecision(draft.record, draft.choices, commit(draft), draft.slots);
}

const slateOf = (record: DecisionRecord): readonly (string | null)[] =>
  record.slots?.map((slot) => slot.action) ?? [record.action];

const policies: Record<string, CompiledExploration> = {
  'epsilon-greedy': { kind: 'epsilon_greedy', epsilon: 0.3, floor: true },
  'epsilon-greedy without a floor': { kind: 'epsilon_greedy', epsilon: 0.5, floor: false },
  softmax: { kind: 'softmax', temperature: 0.7, floor: true },
  'softmax, nearly greedy, without a floor': { kind: 'softmax', temperature: 0.3, floor: false },
  'Thompson sampling': { kind: 'thompson', alpha: attribute('alpha'), beta: attribute('beta'), floor: true },
};

const rounds = 4_000;

/** Each slate that is chosen: how often in all rounds, and a record of it. */
function slatesOf(
  asked: Asked,
): { readonly key: string; readonly count: number; readonly record: DecisionRecord }[] {
  const found = new Map<string, { count: number; record: DecisionRecord }>();
  for (let round = 0; round < rounds; round++) {
    const draft = draftOf(`d${round}`, asked);
    const resolution = commit(draft);
    const key = resolution.slots.map(({ chosen }) => draft.choices[chosen]?.action ?? 'none left').join(', ');
    const known = found.get(key);
    if (known !== undefined) known.count += 1;
    else {
      const record = finishDecision(draft.record, draft.choices, resolution, draft.slots);
      found.set(key, { count: 1, record });
    }
  }
  return [...found].map(([key, slate]) => ({ key, ...slate }));
}

function expectShare(count: number, probability: number, what: string, estimateError = 0): void {
  const error = Math.sqrt((probability * (1 - probability)) / rounds);
  expect(Math.abs(count / rounds - probability), what).toBeLessThan(4 * Math.hypot(error, estimateError));
}

describe.each(Object.entries(policies))('%s', (_, exploration) => {
  describe.each([
    ['one slot', {}],
    ['one slot or nothing', { nothing: 0.5 }],
    ['three slots', { slots: 3 }],
    ['three slots or nothing', { slots: 3, nothing: 0.5 }],
  ])('for %s, with caps full between draw and commit', (_, more) => {
    const slates = slatesOf({ exploration, ...more });

    it('chooses each slate as often as its record says', () => {
      expect(slates.some(({ key }) => key.includes('best'))).toBe(false);
      expect(slates.length).toBeGreaterThan(3);
      for (const { key, count, record } of slates) {
        const probability = record.slatePropensity ?? record.choicePropensity;
        // What is expected hardly ever is seen too rarely for a normal interval.
        if (probability * rounds >= 10) expectShare(count, probability, key);
      }
      const all = slates.reduce(
        (sum, { record }) => sum + (record.slatePropensity ?? record.choicePropensity),
        0,
      );
      expect(all).toBeGreaterThan(0.98);
      expect(all).toBeLessThan(1 + 1e-4);
    });

    it('chooses an action for a slot as often as its marginal says, whatever the earlier slots show', () => {
      const told = new Map<string, { count: number; marginal: number; error: number }>();
      for (const { count, record } of slates) {
        for (const [slot, { action, marginal, marginalError }] of (record.slots ?? []).entries()) {
          const key = `${action} in slot ${slot}`;
          const known = told.get(key);
          if (known === undefined) told.set(key, { count, marginal, error: marginalError });
          else known.count += count;
        }
      }
      for (const [key, { count, marginal, error }] of told) {
        if (exploration.kind !== 'thompson') expect(error, key).toBe(0);
        if (marginal * rounds >= 10) expectShare(count, marginal, key, error);
      }
    });

    it('says of a slate what the product of its slots is', () => {
      for (const { record } of slates) {
        if (record.slots === undefined) continue;
        const product = record.slots.reduce((all, slot) => all * slot.choicePropensity, 1);
        expect(product).toBeCloseTo(record.slatePropensity ?? 0, 12);
      }
    });
  });
});

describe('a draw', () => {
  const softmax = { kind: 'softmax', temperature: 1, floor: true } as const;

  it('is the same for the same decision, and another for another', () => {
    expect(decideBy('d1', { exploration: softmax })).toEqual(decideBy('d1', { exploration: softmax }));
    const drawn = Array.from(
      { length: 50 },
      (_, index) => decideBy(`d${index}`, { exploration: softmax }).action,
    );
    expect(new Set(drawn).size).toBeGreaterThan(2);
  });

  it('leaves every available action at least the floor', () => {
    const greedyNearly = { kind: 'softmax', temperature: 0.05, floor: true } as const;
    const rarest = Array.from({ length: 2_000 }, (_, index) =>
      decideBy(`d${index}`, { exploration: greedyNearly }),
    )
      .map(({ choicePropensity }) => choicePropensity)
      .reduce((a, b) => Math.min(a, b));
    expect(rarest).toBeGreaterThanOrEqual(0.01);
    expect(rarest).toBeLessThan(0.013);
  });

  it('is told candidate by candidate', () => {
    const record = decideBy('d3', { exploration: softmax });
    const drawn = record.candidates.map((candidate) => candidate.drawn);
    expect([...drawn].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    const verdicts = record.candidates.map(({ verdict }) => verdict.stage);
    expect(verdicts).toContain('constraints');
    expect(record.exploration).toEqual({
      kind: 'softmax',
      temperature: 1,
      uniform: expect.closeTo(0.06, 12),
    });
  });

  it('says of who had a higher priority and room that it was not drawn', () => {
    const record = Array.from({ length: 50 }, (_, index) =>
      decideBy(`d${index}`, { exploration: softmax }),
    ).find(({ action }) => action === 'sixth');
    expect(record?.candidates.map(({ action, verdict }) => `${action}: ${verdict.stage}`)).toEqual([
      'best: constraints',
      'second: exploration',
      'third: exploration',
      'fourth: exploration',
      'fifth: exploration',
      'sixth: chosen',
    ]);
  });
});

describe('what is shown', () => {
  it('is each slot that is to be delivered, in order', () => {
    const some = actions.map((one) => (one.name === 'third' ? { ...one, mode: 'observe' as const } : one));
    const slate = decideBy('d1', { slots: 3 }, some);
    expect(slate.slots?.map(({ action, mode }) => `${action} ${mode}`)).toEqual([
      'second act',
      'third observe',
      'fifth act',
    ]);
    expect(shownOf(slate).map(({ action, offer }) => [action, offer.content])).toEqual([
      ['second', { title: 'second' }],
      ['fifth', { title: 'fifth' }],
    ]);
    expect(shownOf(decideBy('d1', { nothing: 9 }))).toEqual([]);
    expect(shownOf(decideBy('d1', {}))).toHaveLength(1);
  });
});

describe('a decision', () => {
  it('is deterministic where the policy draws nothing', () => {
    expect(decideBy('d1', {})).toMatchObject({ action: 'second', choicePropensity: 1, deterministic: true });
    const slate = decideBy('d1', { slots: 3 });
    expect(slate).toMatchObject({ slatePropensity: 1, deterministic: true, action: 'second' });
    expect(slate.slots?.map(({ action, marginal }) => [action, marginal])).toEqual([
      ['second', 1],
      ['third', 1],
      ['fifth', 1],
    ]);
  });

  it('is deterministic where there is nothing to draw from, and only there', () => {
    const exploration = { kind: 'softmax', temperature: 1, floor: true } as const;
    const capped = actions.slice(0, 2);
    expect(decideBy('d1', { exploration }, capped)).toMatchObject({
      choicePropensity: 1,
      deterministic: true,
    });
    expect(decideBy('d1', { exploration, nothing: 0.1 }, capped).deterministic).toBe(false);
    expect(decideBy('d1', { exploration }).deterministic).toBe(false);
  });

  it('that offers nothing has a propensity', () => {
    const exploration = { kind: 'softmax', temperature: 1, floor: false } as const;
    const record = Array.from({ length: 50 }, (_, index) =>
      decideBy(`d${index}`, { exploration, nothing: 1 }, actions.slice(4)),
    ).find(({ action }) => action === null);
    // Priorities 0.3 and 0.1 against 1.
    expect(record).toMatchObject({ action: null, offer: null, deterministic: false });
    expect(record?.choicePropensity).toBeCloseTo(1 / 1.4, 12);
    expect(decideBy('d1', { nothing: 9 })).toMatchObject({ action: null, choicePropensity: 1 });
  });

  it('ends its slots with nothing, or where nothing is left', () => {
    const slate = decideBy('d1', { slots: 4, nothing: 0.5 });
    expect(slateOf(slate)).toEqual(['second', 'third', null]);
    expect(slateOf(decideBy('d1', { slots: 8 }))).toEqual(['second', 'third', 'fifth', null]);
  });

  it('reads the same from what was stored', () => {
    const draft = draftOf('d7', { exploration: policies.softmax!, slots: 5 });
    const stored = JSON.parse(JSON.stringify(draft)) as Draft;
    const resolution = commit(draft);
    const record = finishDecision(stored.record, stored.choices, resolution, stored.slots);
    expect(JSON.stringify(record)).toBe(
      JSON.stringify(finishDecision(draft.record, draft.choices, resolution, draft.slots)),
    );
  });

  it('estimates marginals beyond three slots, and says how well', () => {
    const free = actions.map((one) => ({ ...one, caps: [] }));
    const { slots } = decideBy('d7', { exploration: policies.softmax!, slots: 5 }, free);
    expect(slots?.map(({ marginalError }) => marginalError > 0)).toEqual([false, false, false, true, true]);
    expect(slots?.every(({ marginal }) => marginal > 0 && marginal < 1)).toBe(true);
  });
});
