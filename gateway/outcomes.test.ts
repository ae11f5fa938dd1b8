import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecideAnswer, DecideRequest, DecisionRecord } from '../schemas/index.ts';
import { decisionOf } from '../sinks/clickhouse/history.fixture.ts';
import { openEmbeddedWarehouse, type Warehouse } from '../sinks/clickhouse/index.ts';
import { rowOfDecision } from '../sinks/clickhouse/rows/decision.ts';
import { lineOf } from '../sinks/clickhouse/rows/well-formed.ts';
import { adminToken, type Lab, startLab } from '../tests/support/gateway.ts';

let now = Date.UTC(2026, 5, 1);
const minute = 60_000;
const clock = { now: () => now, monotonic: () => performance.now() };
const change: Partial<DecisionRecord> = {};
const decide = async ({ tenant, subject, placements, requestId }: DecideRequest): Promise<DecisionRecord[]> =>
  placements.map((placement) =>
    decisionOf(0, 1, `${requestId}-${placement}`, {
      tenant,
      subject,
      placement,
      action: 'help',
      offer: { content: { title: 'Help' }, expiresAt: now + 10 * minute },
      ...change,
    }),
  );

let folder: string;
let warehouse: Warehouse;
let lab: Lab;
let acme: { secret: string; open: string };
let globex: { secret: string; open: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-reports-'));
  warehouse = await openEmbeddedWarehouse({ folder });
  lab = await startLab({ clock, decide, warehouse });
  acme = await lab.keysOf('acme');
  globex = await lab.keysOf('globex');
});
afterAll(async () => {
  await lab.stop();
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

let requests = 0;
async function offered(key = acme.open, asked: object = { anonymousId: 'x', session: 's1' }) {
  const answer = await lab.post(
    '/v1/decide',
    { ...asked, placement: 'banner', requestId: `r${requests++}` },
    key,
  );
  const [decision] = (answer.body as DecideAnswer).decisions;
  return decision!;
}
const report = (body: object, key = acme.open) => lab.post('/v1/outcomes', body, key);
const eventsOf = async (decision: string) =>
  (await lab.events()).filter(({ properties }) => properties.decision === decision);

describe('an answer of /v1/decide', () => {
  it('has a receipt where there is something to show, and the same one for the same decision', async () => {
    const asked = { anonymousId: 'x', placement: 'banner', requestId: 'twice' };
    const [one, two] = await Promise.all([
      lab.post('/v1/decide', asked, acme.open),
      lab.post('/v1/decide', asked, acme.open),
    ]);
    const receipts = [one, two].map(({ body }) => (body as DecideAnswer).decisions[0]?.receipt);
    expect(receipts[0]).toMatch(/^[\w-]+\.[\w-]{22}$/);
    expect(receipts[1]).toBe(receipts[0]);
  });

  it.each([
    ['only observed', { mode: 'observe' }],
    ['nothing', { action: null, offer: null }],
    ['not recorded', { recorded: false }],
  ] as const)('has none where it is %s', async (_, other) => {
    Object.assign(change, other);
    const decision = await offered();
    for (const key of Object.keys(change)) delete change[key as keyof DecisionRecord];
    expect(decision.receipt).toBeUndefined();
  });
});

describe('a report', () => {
  it('of what was shown is an event of who asked, whose id is that of a report by socket', async () => {
    const { id, receipt } = await offered();
    expect(await report({ receipt, outcome: 'shown' })).toMatchObject({
      status: 200,
      body: { success: true, accepted: 1, rejected: [] },
    });
    await report({ receipt, outcome: 'shown' });
    const events = await eventsOf(id);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({
      type: '$exposure',
      tenant: 'acme',
      anonymousId: 'x',
      session: 's1',
      time: now,
      properties: { action: 'help', placement: 'banner' },
    });
    expect(events[1]?.id).toBe(events[0]?.id);
  });

  it('of acceptance says that it was shown, in this order', async () => {
    const { id, receipt } = await offered();
    await report({ receipt, outcome: 'accepted', timestamp: now - 5_000 });
    expect(
      (await eventsOf(id)).map(({ type, time, properties }) => [type, time, properties.outcome]),
    ).toEqual([
      ['$exposure', now - 5_000, undefined],
      ['$outcome', now - 5_000, 'accepted'],
    ]);
  });

  it('of conversions tells them apart by their id, and has a value', async () => {
    const { id, receipt } = await offered();
    for (const conversion of ['o1', 'o2', 'o2'])
      await report({ receipt, outcome: 'converted', id: conversion, value: 9.99 });
    const events = await eventsOf(id);
    expect(events.map(({ properties }) => properties.value)).toEqual([9.99, 9.99, 9.99]);
    expect(new Set(events.map((event) => event.id)).size).toBe(2);
  });

  it('may be one of several, of which those that fit are kept', async () => {
    const [one, two] = [await offered(), await offered()];
    const batch = [
      { receipt: one.receipt, outcome: 'shown' },
      { receipt: 'none', outcome: 'shown' },
      { receipt: two.receipt, outcome: 'expired' },
      { receipt: two.receipt, outcome: 'dismissed', value: 2 },
    ];
    expect((await report({ batch })).body).toMatchObject({
      accepted: 1,
      rejected: [
        { index: 1, code: 'bad_receipt' },
        { index: 2, code: 'not_expired' },
        { index: 3, code: 'no_value' },
      ],
    });
  });

  it('is refused where the offer had expired when it was shown, or ended 30 days ago', async () => {
    const { receipt } = await offered();
    now += 12 * minute;
    expect(await report({ receipt, outcome: 'shown' })).toMatchObject({
      status: 400,
      body: { code: 'expired' },
    });
    // It was shown in time; the page was offline since.
    expect(await report({ receipt, outcome: 'shown', timestamp: now - 5 * minute })).toMatchObject({
      status: 200,
    });
    expect(await report({ receipt, outcome: 'expired' })).toMatchObject({ status: 200 });
    now += 30 * 86_400_000;
    expect(await report({ receipt, outcome: 'accepted' })).toMatchObject({ body: { code: 'too_late' } });
  });

  it('with a changed receipt, or one of another tenant, is refused', async () => {
    const { receipt = '' } = await offered();
    const [body = '', signature = ''] = receipt.split('.');
    const fields = Buffer.from(body, 'base64url').toString().replace('"a:x"', '"u:ann"');
    const forged = `${Buffer.from(fields).toString('base64url')}.${signature}`;
    for (const [text, key] of [
      [forged, acme.open],
      [receipt, globex.open],
      [`${body}.`, acme.open],
      [body, acme.open],
    ] as const)
      expect(await report({ receipt: text, outcome: 'shown' }, key)).toMatchObject({
        status: 400,
        body: { code: 'bad_receipt' },
      });
  });
});

describe('a report by the id of a decision', () => {
  it('needs a secret key, and a decision of its tenant that was to be shown', async () => {
    const record = decisionOf(0, 1, 'd-known', {
      tenant: 'acme',
      subject: 'u:ann',
      session: null,
      action: 'help',
      offer: { content: {}, expiresAt: now + minute },
    });
    const rows = [record, { ...record, id: 'd-observed', mode: 'observe' as const }];
    await warehouse.insert(
      'decision_rows',
      rows.map((row) => lineOf(rowOfDecision(row, 1n).row)).join(''),
      'd',
    );
    const byId = (decision: string, key: string) => report({ decision, outcome: 'shown' }, key);
    expect(await byId('d-known', acme.open)).toMatchObject({
      status: 400,
      body: { code: 'missing_receipt' },
    });
    for (const [id, key] of [
      ['d-known', globex.secret],
      ['d-observed', acme.secret],
      ['d-other', acme.secret],
    ] as const)
      expect(await byId(id, key)).toMatchObject({ status: 404, body: { code: 'unknown_decision' } });
    expect(await byId('d-known', acme.secret)).toMatchObject({ status: 200 });
    expect(await eventsOf('d-known')).toMatchObject([{ type: '$exposure', userId: 'ann', tenant: 'acme' }]);
    const operator = { 'x-presage-tenant': 'acme' };
    const asOperator = await lab.post(
      '/v1/outcomes',
      { decision: 'd-known', outcome: 'ignored' },
      adminToken,
      operator,
    );
    expect(asOperator.status).toBe(200);
  });
});

describe('rates', () => {
  it('are of the tenant of the key, of the time that is asked, and need a right to all of it', async () => {
    const decided = Date.UTC(2026, 2, 1);
    const row = (id: string, tenant: string) => {
      const record = decisionOf(0, 1, id, { tenant, action: 'help' });
      return lineOf(rowOfDecision({ ...record, timings: { ...record.timings, decidedAt: decided } }, 1n).row);
    };
    await warehouse.insert('decision_rows', row('rate-1', 'acme') + row('rate-2', 'globex'), 'rates');
    const exposure = {
      decision: 'rate-1',
      tenant: 'acme',
      subject: 'u:ann',
      time: decided,
      received: decided,
      position: 1,
    };
    await warehouse.insert('exposure_rows', lineOf(exposure), 'rates exposure');
    const rates = async (path: string, key: string) => (await lab.get(path, key)).body as never;
    const range = `from=${decided}&to=${decided + 1}`;
    expect(await rates(`/api/outcomes?by=placement&${range}`, acme.secret)).toMatchObject({
      by: 'placement',
      groups: [{ tenant: 'acme', key: 'home', decisions: 1, shown: 1, ignored: 1 }],
      truncated: false,
    });
    expect(await rates(`/api/outcomes?${range}&at=${decided + 1}`, acme.secret)).toMatchObject({
      groups: [{ shown: 1, ignored: 0, waiting: 1 }],
    });
    expect(await rates(`/api/outcomes?${range}`, globex.secret)).toMatchObject({
      groups: [{ tenant: 'globex', decisions: 1, shown: 0 }],
    });
    expect(await rates(`/api/outcomes?${range}`, adminToken)).toMatchObject({ groups: [{}, {}] });
    expect(await rates(`/api/outcomes?${range}&tenant=acme`, globex.secret)).toMatchObject({
      code: 'tenant_mismatch',
    });
    expect(await rates(`/api/outcomes?from=0&to=${decided}`, acme.secret)).toMatchObject({
      code: 'bad_range',
    });
  });
});
