import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backtest, loggedPolicy, policyOfTable } from '../../replay/index.ts';
import { openEmbeddedWarehouse, type Warehouse } from '../../sinks/clickhouse/index.ts';
import type { Ask } from '../parity/port.ts';
import { type OwnOptions, readOwnDecisions } from './own-decisions.ts';

const start = Date.UTC(2026, 0, 1);
const stamp = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace('Z', '');
const ndjson = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
const idOf = (i: number): string => `d${String(i).padStart(5, '0')}`;

/** Two offers drawn with 0.75 and 0.25; the second is accepted twice as often. More than a page of them. */
const decided = Array.from({ length: 1_200 }, (_, i) => ({ i, action: i % 4 === 3 ? 'help' : 'offer' }));
const isAccepted = ({ i, action }: { i: number; action: string }): boolean =>
  action === 'help' ? i % 8 === 3 : i % 16 < 4;

const row = (i: number, action: string | null, rest: object = {}, record: object = {}) => ({
  id: idOf(i),
  tenant: 'acme',
  subject: `u:${i % 400}`,
  placement: 'banner',
  action,
  decided: stamp(start + i),
  received: stamp(start),
  simulated: false,
  version: 1,
  ...rest,
  record: JSON.stringify({
    id: idOf(i),
    tenant: 'acme',
    subject: `u:${i % 400}`,
    action,
    available: ['offer', 'help'],
    choicePropensity: action === 'help' ? 0.25 : 0.75,
    deterministic: false,
    recorded: true,
    mode: 'act',
    features: { visits: i % 5, tags: ['a'] },
    context: { page: i % 2 === 0 ? 'home' : 'cart' },
    ...record,
  }),
});
const about = (i: number, action: string, rest: object = {}) => ({
  decision: idOf(i),
  tenant: 'acme',
  action,
  received: stamp(start),
  id: `event ${i}`,
  position: i,
  ...rest,
});

let folder: string;
let warehouse: Warehouse;
let ask: Ask;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-own-decisions-'));
  warehouse = await openEmbeddedWarehouse({ folder });
  const odd = [
    row(5_000, 'offer'), // Never shown.
    row(5_001, 'offer', {}, { mode: 'holdout' }),
    row(5_002, 'offer', {}, { deterministic: true, choicePropensity: 1 }),
    row(5_003, 'offer', { simulated: true }),
    row(5_004, 'offer', { tenant: 'globex' }, { tenant: 'globex' }),
    row(5_005, 'offer', { placement: "side'bar" }),
    row(5_006, null),
    row(5_007, 'offer', { decided: stamp(start + 9_000_000) }),
  ];
  await warehouse.insert(
    'decision_rows',
    ndjson([...decided.map(({ i, action }) => row(i, action)), ...odd]),
    't1',
  );
  const shown = [
    ...decided.map(({ i, action }) => about(i, action)),
    ...[5_002, 5_003, 5_005, 5_007].map((i) => about(i, 'offer')),
    // Another tenant's word of a decision that is not its own.
    about(5_000, 'offer', { tenant: 'globex' }),
  ];
  await warehouse.insert('exposure_rows', ndjson(shown), 't2');
  const answers = decided
    .filter(isAccepted)
    .map(({ i, action }) => about(i, action, { outcome: 'accepted' }));
  await warehouse.insert(
    'outcome_event_rows',
    ndjson([...answers, about(1, 'offer', { outcome: 'dismissed', position: 9_999 })]),
    't3',
  );
  ask = async (sql) =>
    (await warehouse.queryBytes(sql, { format: 'JSONEachRow' }))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

const options: OwnOptions = {
  placement: 'banner',
  tenant: 'acme',
  outcome: 'accepted',
  before: start + 1_000_000,
  withSimulated: false,
};

describe("the engine's own decisions as a log", () => {
  it('are read page by page with propensity, availability, context and outcome', async () => {
    const { log, read, rejected, notes } = await readOwnDecisions(ask, options, null);
    expect({ read, rejected, rows: log.rows }).toEqual({ read: 1_204, rejected: 0, rows: 1_201 });
    expect(log.deterministic).toBe(1);
    expect(notes.join()).toContain('1 of 1204 decisions were never shown');
    const accepted = decided.filter(isAccepted).length;
    expect(log.reward.reduce((sum, one) => sum + one, 0)).toBe(accepted);
    expect(log.contexts.names).toEqual(expect.arrayContaining(['visits', 'page=home', 'page=cart']));
    expect(log.actions.list).toEqual(expect.arrayContaining(['offer', 'help', '(nothing)']));
  });

  it('tell what always the rarer offer would have been worth, by subject', async () => {
    const { log } = await readOwnDecisions(ask, options, null);
    const report = backtest(log, policyOfTable({ all: { help: 1 } }, log, 'help'), {
      ...{ assumption: 'independent', clip: null, resamples: 200, seed: 1, level: 0.95, expected: null },
    });
    const helped = decided.filter(({ action }) => action === 'help');
    expect(report.estimates.snips.value).toBeCloseTo(helped.filter(isAccepted).length / helped.length, 12);
    expect(report.units).toEqual({ kind: 'subject', count: 400 });
    expect(report.refused).toEqual([]);
  });

  it('are asked about one by one where the policy is a function of the record', async () => {
    const seen = new Set<unknown>();
    const { log } = await readOwnDecisions(ask, options, (decision, record) => {
      seen.add(record.mode);
      return { [decision.context?.page === 'home' ? 'offer' : 'help']: 1 };
    });
    expect(log.policy).not.toBeNull();
    expect([...seen]).toEqual(['act']);
  });

  it('are those of the tenant, of the placement, old enough, and simulated only where asked for', async () => {
    const readOf = async (change: Partial<OwnOptions>): Promise<number> =>
      (await readOwnDecisions(ask, { ...options, ...change }, null)).read;
    expect(await readOf({ withSimulated: true })).toBe(1_205);
    expect(await readOf({ tenant: null })).toBe(1_205);
    expect(await readOf({ before: start + 10_000_000 })).toBe(1_205);
    expect(await readOf({ placement: "side'bar" })).toBe(1);
  });

  it('reward another outcome where that is named', async () => {
    const { log } = await readOwnDecisions(ask, { ...options, outcome: 'dismissed' }, null);
    expect(log.reward.reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(loggedPolicy(log).at(0).probabilities[0]).toBe(1);
  });

  it('are told to be missing where there are none', async () => {
    await expect(readOwnDecisions(ask, { ...options, placement: 'none' }, null)).rejects.toThrow(
      'Placement none has no decisions to tell from: there are none of it',
    );
    await expect(readOwnDecisions(ask, { ...options, tenant: 'globex' }, null)).rejects.toThrow(
      'of 1, 1 were not shown and 0 not delivered',
    );
  });
});
