import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/embedded/open.ts';
import type { Warehouse } from '../../sinks/clickhouse/port.ts';
import { adminToken, type Lab, startLab } from '../../tests/support/gateway.ts';

const start = Date.UTC(2026, 0, 1);
const stamp = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace('Z', '');
const ndjson = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

const decision = (i: number, rest: object = {}) => {
  const row = {
    id: `d${i}`,
    tenant: 'acme',
    subject: `u:${i % 3}`,
    placement: 'banner',
    action: i % 2 === 0 ? 'help' : null,
    mode: 'act',
    rung: 'champion',
    accept_probability: 0.25,
    candidates: 4,
    simulated: false,
    // Five to a millisecond, as in a batch.
    decided: stamp(start + Math.floor(i / 5)),
    received: stamp(start),
    version: 1,
    ...rest,
  };
  return {
    ...row,
    record: JSON.stringify({ id: row.id, tenant: row.tenant, candidates: [], huge: 'x'.repeat(50) }),
  };
};

const about = (of: string, rest: object = {}) => ({
  decision: of,
  tenant: 'acme',
  action: 'help',
  received: stamp(start),
  position: 1,
  ...rest,
});

let folder: string;
let warehouse: Warehouse;
let lab: Lab;
let acme: string;
let globex: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-decisions-'));
  warehouse = await openEmbeddedWarehouse({ folder });
  await warehouse.insert('decision_rows', ndjson(Array.from({ length: 23 }, (_, i) => decision(i))), 't1');
  await warehouse.insert(
    'decision_rows',
    ndjson([decision(100, { tenant: 'globex', placement: 'side', decided: stamp(start - 1) })]),
    't2',
  );
  await warehouse.insert(
    'exposure_rows',
    ndjson([about('d2', { time: stamp(start + 50) }), about('d2', { tenant: 'globex', time: stamp(start) })]),
    't3',
  );
  await warehouse.insert(
    'outcome_event_rows',
    ndjson([
      about('d2', { outcome: 'accepted', time: stamp(start + 60), position: 2 }),
      about('d2', { outcome: 'converted', value: 12.5, time: stamp(start + 70), position: 3 }),
      about('d2', { outcome: 'dismissed', tenant: 'globex', time: stamp(start), position: 4 }),
    ]),
    't4',
  );
  lab = await startLab({ warehouse });
  acme = (await lab.keysOf('acme')).secret;
  globex = (await lab.keysOf('globex')).secret;
});
afterAll(async () => {
  await lab.stop();
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

describe('decisions from ClickHouse', () => {
  it('come one by one with what was shown and what came of it', async () => {
    for (const [path, key] of [
      ['/v1/decisions/d2', acme],
      ['/api/decisions/d2', adminToken],
    ] as const) {
      const { status, body } = await lab.get(path, key);
      expect([path, status]).toEqual([path, 200]);
      expect(body).toMatchObject({
        decision: { id: 'd2', tenant: 'acme' },
        exposures: [{ at: start + 50 }],
        outcomes: [
          { at: start + 60, outcome: 'accepted', value: null },
          { at: start + 70, outcome: 'converted', value: 12.5 },
        ],
      });
    }
  });

  it('are not there for another tenant', async () => {
    for (const [id, key] of [
      ['d2', globex],
      ['d100', acme],
      ['none', acme],
    ] as const) {
      const { status, body } = await lab.get(`/v1/decisions/${id}`, key);
      expect([id, status, body.code]).toEqual([id, 404, 'unknown_decision']);
    }
    expect(
      (await lab.get('/api/decisions', globex)).body.decisions.map(({ id }: { id: string }) => id),
    ).toEqual(['d100']);
  });

  it('come page by page, newest first, each exactly once though they share milliseconds', async () => {
    const seen: string[] = [];
    let next: number | null = null;
    do {
      const { body } = await lab.get(
        `/api/decisions?tenant=acme&limit=7${next === null ? '' : `&before=${next}`}`,
        adminToken,
      );
      const times = body.decisions.map(({ at }: { at: number }) => at);
      expect(times).toEqual([...times].sort((a, b) => b - a));
      seen.push(...body.decisions.map(({ id }: { id: string }) => id));
      next = body.next;
    } while (next !== null);
    expect(seen).toHaveLength(23);
    expect(new Set(seen).size).toBe(23);
  });

  it('are filtered, with their newest outcome', async () => {
    const { body } = await lab.get(
      '/api/decisions?tenant=acme&subject=u:2&action=help&placement=banner',
      adminToken,
    );
    expect(body.decisions.map(({ id }: { id: string }) => id).sort()).toEqual(['d14', 'd2', 'd20', 'd8']);
    expect(body.decisions.find(({ id }: { id: string }) => id === 'd2')).toEqual({
      id: 'd2',
      at: start,
      tenant: 'acme',
      subject: 'u:2',
      placement: 'banner',
      action: 'help',
      mode: 'act',
      rung: 'champion',
      acceptProbability: 0.25,
      candidates: 4,
      simulated: false,
      outcome: 'converted',
    });
    const odd = await lab.get(`/api/decisions?subject=${encodeURIComponent("' OR 1=1 --")}`, adminToken);
    expect(odd.body.decisions).toEqual([]);
  });
});

describe('POST /api/sql', () => {
  it('answers in any format, and refuses to write in ClickHouse words', async () => {
    const csv = await lab.post(
      '/api/sql',
      { query: 'select count() as n from decisions', format: 'CSVWithNames' },
      adminToken,
    );
    expect([csv.status, csv.text]).toEqual([200, '"n"\n24\n']);
    const json = await lab.post('/api/sql', { query: 'select 1 as one' }, adminToken);
    expect(json.body.data).toEqual([{ one: 1 }]);
    for (const query of [
      'drop table events',
      'insert into events (id) values (1)',
      "select * from file('/etc/passwd')",
    ]) {
      expect([query, (await lab.post('/api/sql', { query }, adminToken)).body.code]).toEqual([
        query,
        'sql_refused',
      ]);
    }
    const wrong = await lab.post('/api/sql', { query: 'select nothing from nowhere' }, adminToken);
    expect([wrong.status, wrong.body.code]).toEqual([400, 'sql_failed']);
    expect(
      (await lab.post('/api/sql', { query: 'select 1', format: 'JSON; DROP' }, adminToken)).body.code,
    ).toBe('invalid_request');
  });
});

describe('GET /api/status', () => {
  it('has the totals', async () => {
    const { body } = await lab.get('/api/status', adminToken);
    expect(body).toMatchObject({
      workspace: 'lab',
      totals: { events: 0, decisions: 24, exposures: 2, outcomes: 3, deadLetters: 0, simulatedEvents: 0 },
    });
    expect(body.roles).toEqual([
      { name: 'gateway', state: 'ok', why: null },
      { name: 'stream', state: 'ok', why: null },
    ]);
  });
});
