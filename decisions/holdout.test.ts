import { describe, expect, it } from 'vitest';
import { noCaps, resolveChoices } from '../stream/state/caps.ts';
import type { CompiledHoldout } from '../workspace/index.ts';
import { action, question, scores } from './decisions.fixture.ts';
import { arbitrate, consider, finishDecision, holdoutArm, type Question, shownOf } from './index.ts';

const holdout: CompiledHoldout = { share: 0.05, period: 'quarter', salt: '' };
const november = Date.UTC(2026, 10, 24);
const armOf = (
  subject: string,
  seenAs: string[] = [],
  time = november,
  changes: Partial<CompiledHoldout> = {},
) => holdoutArm({ ...holdout, ...changes }, 'shop', subject, seenAs, time);
const heldOut = (arm: string, changes?: Partial<CompiledHoldout>): string => {
  for (let n = 0; ; n++) if (armOf(`a:${n}`, [], november, changes).arm === arm) return `a:${n}`;
};

describe('the arm of a person', () => {
  it('is held out for the share of subjects that the workspace says', () => {
    const subjects = Array.from({ length: 20_000 }, (_, index) => `a:${index}`);
    const share = subjects.filter((subject) => armOf(subject).arm === 'held_out').length / subjects.length;
    expect(Math.abs(share - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / subjects.length));
  });

  it('stays for the period, and is drawn anew in the next, by tenant and by salt', () => {
    expect(armOf('a:1', [], Date.UTC(2026, 9, 1))).toEqual(armOf('a:1', [], Date.UTC(2026, 11, 31, 23)));
    expect(armOf('a:1').period).toBe('2026-Q4');
    expect(armOf('a:1', [], november, { period: 'month' }).period).toBe('2026-11');
    expect(armOf('a:1', [], november, { period: 'fixed' })).toEqual(armOf('a:1', [], 0, { period: 'fixed' }));
    const subjects = Array.from({ length: 2_000 }, (_, index) => `a:${index}`);
    const both = (time: number, changes: Partial<CompiledHoldout> = {}) =>
      subjects.filter(
        (one) => armOf(one).arm === 'held_out' && armOf(one, [], time, changes).arm === 'held_out',
      ).length;
    expect(both(november)).toBeGreaterThan(60);
    expect(both(Date.UTC(2027, 1, 1))).toBeLessThan(20);
    expect(both(november, { salt: 'other' })).toBeLessThan(20);
  });

  it('is that of the first subject as which the person was seen', () => {
    const out = heldOut('held_out');
    const other = heldOut('offered');
    expect(armOf('u:ann', [out])).toEqual({ ...armOf(out), unit: out });
    expect(armOf('u:ann', [out, other])).toMatchObject({ arm: 'held_out', unit: out, isMixed: true });
    expect(armOf('u:ann', [other, heldOut('offered')])).not.toHaveProperty('isMixed');
  });
});

const cap = { id: 'x/session', per: 'session', limit: 1, windowMs: null } as const;

function decide(changes: Partial<Question>, actions = [action('x', { value: 2, caps: [cap] }), action('y')]) {
  const plain = question(actions, { time: november, ...changes });
  const asked = { ...plain, placement: { ...plain.placement, holdout } };
  const draft = arbitrate(asked, consider(asked), scores(0.5, 0.5), november);
  const caps = noCaps();
  const resolution = resolveChoices(caps, draft.choices, draft.slots);
  return { record: finishDecision(draft.record, draft.choices, resolution, draft.slots), caps };
}

describe('a decision about someone who is held out', () => {
  const subject = heldOut('held_out');

  it('is made and recorded, but nothing is delivered and no cap is taken from', () => {
    const { record, caps } = decide({ subject });
    expect(record).toMatchObject({
      action: 'x',
      mode: 'holdout',
      holdout: { arm: 'held_out', period: '2026-Q4' },
    });
    expect(shownOf(record)).toEqual([]);
    expect(caps.sessions.size).toBe(0);
  });

  it('takes from no cap where the action is only observed, either', () => {
    const { record, caps } = decide({ subject }, [action('x', { mode: 'observe', caps: [cap] })]);
    expect(record.mode).toBe('observe');
    expect(caps.sessions.size).toBe(0);
  });

  it('is the one that would have been made for anybody else', () => {
    const { record, caps } = decide({ subject: heldOut('offered') });
    expect(record).toMatchObject({ action: 'x', mode: 'act', holdout: { arm: 'offered' } });
    expect(caps.sessions.size).toBe(1);
    const { candidates } = decide({ subject }).record;
    expect(candidates.map(({ action: name, score }) => [name, score])).toEqual(
      record.candidates.map(({ action: name, score }) => [name, score]),
    );
  });

  it('delivers a service that is exempt', () => {
    const service = [action('x', { value: 2, isExempt: true }), action('y')];
    expect(decide({ subject }, service).record).toMatchObject({ action: 'x', mode: 'act' });
    expect(decide({ subject, stopped: true }, service).record.mode).toBe('stopped');
  });

  it('follows an anonymous id to the user that it becomes', () => {
    expect(decide({ subject: 'u:ann', seenAs: [subject] }).record.mode).toBe('holdout');
  });
});

describe('a workspace without a holdout', () => {
  it('holds nobody out, and says nothing of it', () => {
    const asked = question([action('x')], { subject: heldOut('held_out'), time: november });
    expect(arbitrate(asked, consider(asked), scores(0.5), november).record).not.toHaveProperty('holdout');
  });
});
