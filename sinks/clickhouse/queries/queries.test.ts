import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../../core/index.ts';
import type { DecisionRecord } from '../../../schemas/index.ts';
import { decisionOf } from '../history.fixture.ts';
import {
  decisionDetail,
  deleteAll,
  deleteSimulated,
  feedTotals,
  listDecisions,
  openEmbeddedWarehouse,
  totals,
  type Warehouse,
} from '../index.ts';
import { rowOfDecision } from '../rows/decision.ts';
import { lineOf } from '../rows/well-formed.ts';

let folder: string;
let warehouse: Warehouse;
let tokens = 0;
const received = Date.UTC(2026, 0, 15);
const put = (table: string, ...rows: object[]): Promise<void> =>
  warehouse.insert(table, rows.map((row) => lineOf({ received, ...row })).join(''), `t${tokens++}`);
const decide = (id: string, decidedAt: number, change: Partial<DecisionRecord> = {}): Promise<void> => {
  const record = decisionOf(0, 1, id, change);
  const timed = { ...record, timings: { ...record.timings, decidedAt } };
  return put('decision_rows', rowOfDecision(timed, 1n).row);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-queries-'));
  warehouse = await openEmbeddedWarehouse({ folder });
  await decide('d1', received + 1, { action: 'voucher' });
  await decide('d2', received + 2, { placement: 'cart', simulated: true });
  await decide('d3', received + 2, { tenant: 'rival', action: 'hint' });
  await decide('d4', received + 4, { subject: 'u:other' });
  await put('exposure_rows', { decision: 'd1', tenant: 'shop', time: received + 10, position: 5 });
  await put('exposure_rows', { decision: 'd1', tenant: 'shop', time: received + 99, position: 9 });
  await put('exposure_rows', { decision: 'd1', tenant: 'rival', time: received, position: 1 });
  await put(
    'outcome_event_rows',
    { decision: 'd1', tenant: 'shop', outcome: 'accepted', time: received + 20, position: 6 },
    { decision: 'd1', tenant: 'shop', outcome: 'converted', value: 12.5, time: received + 30, position: 7 },
    { decision: 'd1', tenant: 'rival', outcome: 'dismissed', time: received + 90, position: 8 },
  );
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

describe('one decision', () => {
  it('comes with its first exposure and its outcomes, and nobody else can add to them', async () => {
    const detail = await decisionDetail(warehouse, 'shop', 'd1');
    expect(detail?.decision).toMatchObject({ id: 'd1', features: { views: 1, last: 'shoes' } });
    expect(detail?.exposures).toEqual([{ at: received + 10 }]);
    expect(detail?.outcomes).toEqual([
      { at: received + 20, outcome: 'accepted', value: null },
      { at: received + 30, outcome: 'converted', value: 12.5 },
    ]);
  });

  it('is not there for another tenant, nor when there is none', async () => {
    expect(await decisionDetail(warehouse, 'rival', 'd1')).toBeNull();
    expect(await decisionDetail(warehouse, null, 'd1')).not.toBeNull();
    expect(await decisionDetail(warehouse, null, "x' OR 1=1 --")).toBeNull();
  });
});

describe('the list of decisions', () => {
  const ids = async (filter: Partial<Parameters<typeof listDecisions>[1]>): Promise<string[]> =>
    (await listDecisions(warehouse, { tenant: null, limit: 50, ...filter })).decisions
      .map(({ id }) => id)
      .sort();

  it('is filtered by tenant, placement, action and subject', async () => {
    expect(await ids({})).toEqual(['d1', 'd2', 'd3', 'd4']);
    expect(await ids({ tenant: 'shop' })).toEqual(['d1', 'd2', 'd4']);
    expect(await ids({ placement: 'cart' })).toEqual(['d2']);
    expect(await ids({ action: 'hint' })).toEqual(['d3']);
    expect(await ids({ subject: 'u:other', tenant: 'shop' })).toEqual(['d4']);
    expect(await ids({ before: received + 2 })).toEqual(['d1']);
  });

  it('says what a row of the console says, with the latest outcome', async () => {
    const { decisions } = await listDecisions(warehouse, { tenant: 'shop', action: 'voucher', limit: 1 });
    expect(decisions).toEqual([
      {
        id: 'd1',
        at: received + 1,
        tenant: 'shop',
        subject: 'u:user1',
        placement: 'home',
        action: 'voucher',
        mode: 'act',
        rung: 'champion',
        acceptProbability: 0.25,
        candidates: 2,
        simulated: false,
        outcome: 'converted',
      },
    ]);
  });

  it('pages newest first without tearing one millisecond apart', async () => {
    const pages: string[][] = [];
    let before: number | undefined;
    for (;;) {
      const page = await listDecisions(warehouse, { tenant: null, limit: 2, before });
      pages.push(page.decisions.map(({ id }) => id).sort());
      if (page.next === null) break;
      before = page.next;
    }
    expect(pages).toEqual([['d2', 'd3', 'd4'], ['d1']]);
  });
});

describe('accounts of a feed', () => {
  it('count each event once, however often it was sent', async () => {
    const source = 'feed:r1';
    const place = (position: number, id: string) => ({ tenant: 'shop', id, source, position });
    await put('events', place(1, 'a'), place(2, 'b'), { ...place(3, 'c'), late_ms: 3_600_001 });
    await put('events', { tenant: 'shop', id: 'z', source: 'http', position: 4 });
    // Sent again after an interruption; had been there before the feed (twice sent); no id could be read.
    await put('duplicate_rows', place(5, 'a'), place(6, 'z'), place(7, 'z'));
    await put(
      'dead_letter_rows',
      { event_id: 'x', source, position: 8 },
      { event_id: 'x', source, position: 9 },
      { event_id: '', source, position: 10 },
      { event_id: '', source, position: 11 },
    );
    expect(await feedTotals(warehouse, 'r1')).toEqual({
      new: 3,
      duplicate: 1,
      dead: 3,
      again: 0,
      late: 1,
    });
    const none = { new: 0, duplicate: 0, dead: 0, again: 0, late: 0 };
    expect(await feedTotals(warehouse, "r' OR 1")).toEqual(none);
  });

  it('count an id once that two subjects sent, that counted twice, or that was dead as well', async () => {
    const source = 'feed:r2';
    const row = (id: string, position: number, subject = 'u:ann') => ({
      tenant: 'shop',
      id,
      source,
      subject,
      position,
    });
    await put('events', row('a', 20), row('a', 21, 'u:bob'), row('b', 22), row('b', 23));
    await put('duplicate_rows', row('a', 24), row('c', 25), row('d', 26));
    const letter = (event_id: string, position: number) => ({ tenant: 'shop', event_id, source, position });
    await put('dead_letter_rows', letter('b', 27), letter('c', 28));
    expect(await feedTotals(warehouse, 'r2')).toEqual({ new: 2, duplicate: 1, dead: 1, again: 2, late: 0 });
  });
});

describe('totals and removal', () => {
  it('count everything, remove what is simulated, and then all', async () => {
    await put('events', { tenant: 'shop', id: 's', simulated: true, position: 20 });
    expect(await totals(warehouse)).toEqual({
      events: 9,
      decisions: 4,
      exposures: 2,
      outcomes: 3,
      deadLetters: 6,
      simulatedEvents: 1,
    });
    expect(await deleteSimulated(warehouse)).toBe(2);
    expect(await totals(warehouse)).toMatchObject({ events: 8, decisions: 3, simulatedEvents: 0 });
    expect(await deleteSimulated(warehouse)).toBe(0);
    expect(await deleteAll(warehouse)).toBeGreaterThan(10);
    expect(await totals(warehouse)).toEqual({
      events: 0,
      decisions: 0,
      exposures: 0,
      outcomes: 0,
      deadLetters: 0,
      simulatedEvents: 0,
    });
  });
});

describe('dividing ids by their hash', () => {
  it('gives them the partitions that the log gives them', async () => {
    const ids = ['', 'a', 'ann', 'user-4711', 'Zoë', '😀', 'x'.repeat(300), ...'0123456789abcdef'];
    for (const partitions of [1, 3, 7, 256]) {
      const rows = await warehouse.rows<{ own: number }>(
        'SELECT toUInt32(modulo(kafkaMurmurHash(id), {partitions: UInt32})) AS own FROM (SELECT arrayJoin({ids: Array(String)}) AS id)',
        { ids, partitions },
      );
      expect(rows.map(({ own }) => Number(own))).toEqual(ids.map((id) => partitionOf(id, partitions)));
    }
  });
});
