import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../../../schemas/index.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import { decisionOf } from '../../history.fixture.ts';
import { openEmbeddedWarehouse, type Warehouse } from '../../index.ts';
import { rowOfDecision } from '../../rows/decision.ts';
import { lineOf } from '../../rows/well-formed.ts';
import { type LabelledDecision, type LabelledQuestion, labelledDecisions } from './labelled.ts';
import { outcomeLift } from './lift.ts';
import { outcomeRates } from './rates.ts';

const minute = 60_000;
const day = 86_400_000;
const start = Date.UTC(2026, 0, 15);
const outcomes: CompiledOutcomes = {
  timeoutMs: 30 * minute,
  windowMs: 7 * day,
  scale: 2,
  metrics: [
    {
      name: 'purchase',
      types: ['order'],
      where: null,
      value: 'total',
      scale: 2,
      oncePer: 'order_id',
      decision: 'offer',
      windowMs: 2 * day,
      timeoutMs: day,
    },
  ],
};

let folder: string;
let warehouse: Warehouse;
let tokens = 0;
let position = 0;
const put = (table: string, ...rows: object[]): Promise<void> =>
  warehouse.insert(table, rows.map((row) => lineOf({ received: start, ...row })).join(''), `t${tokens++}`);
const decide = (id: string, change: Partial<DecisionRecord> = {}): Promise<void> => {
  const decidedAt = start + Number(id.replace(/\D/g, ''));
  const record = decisionOf(0, 1, id, { action: 'voucher', tenant, ...change });
  const timed = { ...record, timings: { ...record.timings, decidedAt } };
  return put('decision_rows', rowOfDecision(timed, 1n).row);
};
const at = (time: number) => ({ tenant, subject: 'u:ann', time: start + time, position: position++ });
const show = (decision: string, time: number, more: object = {}) =>
  put('exposure_rows', { ...at(time), decision, ...more });
const report = (decision: string, outcome: string, time: number, more: object = {}) =>
  put('outcome_event_rows', { ...at(time), decision, outcome, id: `${decision} ${outcome}`, ...more });
const order = (id: string, time: number, properties: object = {}, more: object = {}) =>
  put('events', { ...at(time), id, type: 'order', properties: JSON.stringify(properties), ...more });
const identify = (anonymousId: string, userId: string) =>
  put('identity_transfer_rows', {
    tenant,
    anonymous_id: anonymousId,
    user_id: userId,
    source_position: position++,
    position: position++,
  });

/** Each story has a tenant of its own. */
let tenant = '';
let stories = 0;
const story = (): void => {
  tenant = `t${stories++}`;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-outcomes-'));
  warehouse = await openEmbeddedWarehouse({ folder });
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

const scope = (later: number) => ({
  tenant,
  from: start,
  to: start + day,
  at: start + later,
  simulated: false,
});
async function labelled(
  later: number,
  metric: string,
  more: Partial<LabelledQuestion> = {},
): Promise<LabelledDecision[]> {
  const found: LabelledDecision[] = [];
  for await (const one of labelledDecisions(warehouse, outcomes, { ...scope(later), metric, ...more }))
    found.push(one);
  return found;
}
const short = async (later: number, metric = 'purchase'): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await labelled(later, metric)).map(({ decision, label, value }) => [decision.id, [label, value]]),
  );

describe('a label', () => {
  it('of acceptance is unknown while an answer is waited for, then negative, and late answers change it', async () => {
    story();
    await decide('d1');
    await show('d1', minute);
    expect(await labelled(30 * minute, 'accepted')).toMatchObject([
      { label: null, response: 'waiting', mature: false, shownAt: start + minute },
    ]);
    expect(await labelled(31 * minute, 'accepted')).toMatchObject([
      { label: 0, response: 'ignored', mature: true },
    ]);
    await report('d1', 'accepted', 40 * minute, { received: start + 2 * day });
    expect(await labelled(day, 'accepted')).toMatchObject([{ label: 0 }]);
    expect(await labelled(2 * day, 'accepted')).toMatchObject([
      { label: 1, response: 'accepted', succeededAt: start + 40 * minute },
    ]);
  });

  it('is not there for what was never shown, whatever was reported for it', async () => {
    story();
    await decide('d1');
    await decide('d2', { mode: 'observe' });
    await report('d1', 'accepted', minute);
    await order('e1', minute, { offer: 'd1' });
    expect(await labelled(3 * day, 'accepted')).toEqual([]);
    expect(await labelled(3 * day, 'purchase')).toEqual([]);
  });

  it('of a metric is negative after its time-out, positive after all within its window, and then stays', async () => {
    story();
    await decide('d1');
    await show('d1', 0);
    expect(await short(day - 1)).toEqual({ d1: [null, '0.00'] });
    expect(await short(day)).toEqual({ d1: [0, '0.00'] });
    await order('e1', 2 * day, { total: 10 });
    await order('e2', 2 * day + 1, { total: 100 });
    expect(await short(9 * day)).toEqual({ d1: [1, '10.00'] });
  });

  it('comes with the record of its decision, as it was made', async () => {
    story();
    await decide('d1', { features: { views: 7 }, choicePropensity: 0.25 });
    await show('d1', 0);
    const [one] = await labelled(day, 'accepted');
    expect(one?.decision).toMatchObject({
      features: { views: 7 },
      choicePropensity: 0.25,
      action: 'voucher',
    });
  });
});

describe('an outcome', () => {
  it('between two exposures is due to the first, one after both to the second, none before', async () => {
    story();
    await decide('d1');
    await decide('d2');
    await show('d1', 10);
    await show('d2', 20);
    await order('e0', 9, { total: 1 });
    await order('e1', 15, { total: 2 });
    await order('e2', 20, { total: 4 });
    await order('e3', 30, { total: 8.5 });
    expect(await short(3 * day)).toEqual({ d1: [1, '2.00'], d2: [1, '12.50'] });
  });

  it('that names its decision is due to that one or to none', async () => {
    story();
    await decide('d1');
    await decide('d2');
    await show('d1', 10);
    await show('d2', 20);
    await order('e1', 30, { total: 1, offer: 'd1' });
    await order('e2', 30, { total: 2, offer: 'never shown' });
    expect(await short(3 * day)).toEqual({ d1: [1, '1.00'], d2: [0, '0.00'] });
  });

  it('that is sent again, by another message or under another id of the person, counts once', async () => {
    story();
    await decide('d1');
    await show('d1', 10, { subject: 'a:x' });
    await order('e1', 30, { total: 0.1 }, { subject: 'a:x' });
    await order('e1', 30, { total: 0.1 }, { subject: 'a:x' });
    await order('e2', 40, { total: 0.2, order_id: 'o1' }, { subject: 'a:x' });
    await order('e3', 41, { total: 0.2, order_id: 'o1' }, { subject: 'u:ann' });
    expect(await short(3 * day)).toEqual({ d1: [1, '0.30'] });
    await identify('x', 'ann');
    await order('e1', 30, { total: 0.1 }, { subject: 'u:ann' });
    await order('e4', 50, { total: 5 }, { subject: 'u:ann' });
    expect(await short(3 * day)).toEqual({ d1: [1, '5.30'] });
  });

  it('of the next user of the same device is not due to what the first was shown', async () => {
    story();
    await decide('d1');
    await show('d1', 10, { subject: 'a:x' });
    await identify('x', 'ann');
    await identify('x', 'bob');
    await order('e1', 30, { total: 1 }, { subject: 'u:bob' });
    expect(await short(3 * day)).toEqual({ d1: [0, '0.00'] });
    await order('e2', 30, { total: 1 }, { subject: 'u:ann' });
    expect(await short(3 * day)).toEqual({ d1: [1, '1.00'] });
  });

  it('of another tenant, or of a simulated visitor, is never mixed in', async () => {
    story();
    await decide('d1');
    await show('d1', 10);
    await order('e1', 30, { total: 1 }, { simulated: true });
    await order('e2', 30, { total: 1 }, { tenant: 'rival' });
    await order('e3', 30, { total: 1, offer: 'd1' }, { tenant: 'rival' });
    expect(await short(3 * day)).toEqual({ d1: [0, '0.00'] });
    // Nobody gets into a tenant's figures by naming its decision.
    await put('exposure_rows', { ...at(40), decision: 'd1', tenant: 'rival' });
    expect(await labelled(3 * day, 'purchase', { tenant: 'rival' })).toEqual([]);
  });
});

describe('rates', () => {
  it('count the first of each type for a decision, sum all values, and are of closed windows', async () => {
    story();
    await decide('d1');
    await decide('d2', { policy: 'p2' });
    await decide('d3', { action: 'hint' });
    await decide('d4', { action: null });
    await decide('d5', { mode: 'observe' });
    await show('d1', 10);
    await show('d2', 2 * day);
    await show('d3', 20, { subject: 'u:bob' });
    await report('d1', 'accepted', 30);
    await report('d1', 'accepted', 40, { id: 'again' });
    await report('d1', 'converted', 50, { id: 'c1', value: 10.1 });
    await report('d1', 'converted', 60, { id: 'c2', value: 0.2 });
    await report('d1', 'converted', 70, { id: 'c2', value: 0.2 });
    await report('d3', 'dismissed', 50);
    await order('e1', 100, { total: 19.99 });
    await order('e2', 200, { total: 0.01 });
    await order('e3', 2 * day + 1, { total: 7 });
    const { groups, truncated } = await outcomeRates(warehouse, outcomes, scope(3 * day), 'action');
    expect(truncated).toBe(false);
    expect(groups.map(({ key, decisions, offered, shown }) => [key, decisions, offered, shown])).toEqual([
      ['voucher', 3, 2, 2],
      ['', 1, 0, 0],
      ['hint', 1, 1, 1],
    ]);
    const [voucher, , hint] = groups;
    expect(voucher).toMatchObject({ accepted: 1, dismissed: 0, ignored: 1, waiting: 0, simulated: false });
    expect(hint).toMatchObject({ accepted: 0, dismissed: 1, ignored: 0 });
    expect(voucher?.metrics).toEqual([
      { metric: 'accepted', mature: 2, positives: 1, rate: 0.5, provisional: 0, successes: 1, value: '0' },
      {
        metric: 'converted',
        mature: 0,
        positives: 0,
        rate: null,
        provisional: 1,
        successes: 2,
        value: '10.30',
      },
      { metric: 'purchase', mature: 1, positives: 1, rate: 1, provisional: 1, successes: 3, value: '27.00' },
    ]);
    const byPolicy = await outcomeRates(warehouse, outcomes, scope(3 * day), 'policy');
    expect(byPolicy.groups.map(({ key, shown }) => [key, shown])).toEqual([
      ['p1', 2],
      ['p2', 1],
    ]);
  });

  it('show simulated decisions as groups of their own', async () => {
    story();
    await decide('d1');
    await decide('d2', { simulated: true });
    await show('d1', 10);
    await show('d2', 10);
    const both = { ...scope(day), simulated: null };
    const { groups } = await outcomeRates(warehouse, outcomes, both, 'placement');
    expect(groups.map(({ simulated, shown }) => [simulated, shown])).toEqual([
      [false, 1],
      [true, 1],
    ]);
  });
});

describe('labelled decisions', () => {
  it('come page by page, each once, oldest first, and only of the placement and maturity asked for', async () => {
    story();
    for (let index = 0; index < 7; index++) {
      await decide(`d${index}`, index === 3 ? { placement: 'cart' } : {});
      await show(`d${index}`, index === 5 ? 2 * day : index);
    }
    const ids = async (more: Partial<LabelledQuestion>) =>
      (await labelled(2 * day + 10, 'accepted', more)).map(({ decision }) => decision.id);
    expect(await ids({ page: 2 })).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6']);
    expect(await ids({ page: 3, placement: 'home' })).toEqual(['d0', 'd1', 'd2', 'd4', 'd5', 'd6']);
    expect(await ids({ matureOnly: true })).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd6']);
  });

  it('of a metric that is not there are refused', async () => {
    story();
    await expect(labelled(0, 'sales')).rejects.toMatchObject({
      code: 'unknown_metric',
      message: 'There is no metric "sales"; there is accepted, converted, purchase.',
    });
  });
});

describe('lift', () => {
  const holdout = (arm: string, more: object = {}) =>
    ({
      mode: arm === 'held_out' ? 'holdout' : 'act',
      holdout: { arm, period: '2026-Q1', share: 0.5, unit: 'x', ...more },
    }) as object;
  const decided = (id: string, subject: string, arm: string, more: object = {}) =>
    decide(id, { subject, time: start, ...holdout(arm, more) } as Partial<DecisionRecord>);

  it('compares all who would have been offered something, shown or not, once their windows are closed', async () => {
    story();
    for (const [index, arm] of ['offered', 'offered', 'offered', 'offered', 'held_out', 'held_out'].entries())
      await decided(`d${index}`, `u:p${index}`, arm);
    await decided('d6', 'u:p0', 'offered');
    await decide('d7', { subject: 'u:p8', action: null, ...holdout('held_out') } as Partial<DecisionRecord>);
    const by = (person: string) => ({ subject: `u:${person}` });
    // Before its first decision, twice by one person, by one who was held out, too late.
    await order('e0', -1, { total: 100 }, by('p1'));
    await order('e1', 10, { total: 10 }, by('p0'));
    await order('e2', 20, { total: 30 }, by('p0'));
    await order('e2', 20, { total: 30 }, by('p0'));
    await order('e3', 20, { total: 8 }, by('p4'));
    await order('e4', 2 * day + 1, { total: 8 }, by('p5'));
    const { metrics } = await outcomeLift(warehouse, outcomes, scope(3 * day));
    expect(metrics).toHaveLength(1);
    const [lift] = metrics;
    expect(lift).toMatchObject({
      tenant,
      metric: 'purchase',
      simulated: false,
      offered: { people: 4, successes: 1, value: 40 },
      heldOut: { people: 2, successes: 1, value: 8 },
      mixed: 0,
      young: 0,
      sampleRatio: { share: 0.5, isOff: false },
    });
    // 1/4 - 1/2; variances 1/4 * 3/4 / 4 and 1/2 * 1/2 / 2.
    const error = Math.sqrt(0.046875 + 0.125);
    expect(lift?.success?.difference).toBeCloseTo(-0.25, 12);
    expect(lift?.success?.high).toBeCloseTo(-0.25 + 1.96 * error, 12);
    expect(lift?.success?.detectable).toBeCloseTo(2.8 * error, 12);
    // Values 40, 0, 0, 0 and 8, 0: variances of the means 400 / 4 and 32 / 2.
    expect(lift?.value?.difference).toBeCloseTo(6, 12);
    expect(lift?.value?.low).toBeCloseTo(6 - 1.96 * Math.sqrt(116), 9);
    const early = await outcomeLift(warehouse, outcomes, scope(2 * day - 1));
    expect(early.metrics[0]).toMatchObject({ offered: { people: 0 }, young: 6, success: null });
  });

  it('leaves out who was seen in both arms, and counts a visitor with the user that it became once', async () => {
    story();
    await decided('d1', 'u:ann', 'held_out');
    await decided('d2', 'u:ann', 'offered');
    await decided('d3', 'u:bob', 'offered', { isMixed: true });
    await decided('d4', 'a:x', 'offered');
    await decided('d5', 'u:eve', 'offered');
    await decided('d6', 'u:zoe', 'held_out');
    await identify('x', 'eve');
    const { metrics } = await outcomeLift(warehouse, outcomes, scope(3 * day));
    expect(metrics).toMatchObject([{ mixed: 2, offered: { people: 1 }, heldOut: { people: 1 } }]);
  });

  it('says where the arms are not as large as they should be', async () => {
    story();
    for (let index = 0; index < 16; index++) await decided(`d${index}`, `u:p${index}`, 'offered');
    const { metrics } = await outcomeLift(warehouse, outcomes, scope(3 * day));
    expect(metrics[0]?.sampleRatio).toMatchObject({ z: -4, isOff: true });
  });
});
