import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelManifest } from '../../schemas/index.ts';
import { loadScorer } from '../../scorers/onnx.ts';
import { decisionOf } from '../../sinks/clickhouse/history.fixture.ts';
import { openEmbeddedWarehouse, type Warehouse } from '../../sinks/clickhouse/index.ts';
import { rowOfDecision } from '../../sinks/clickhouse/rows/decision.ts';
import { lineOf } from '../../sinks/clickhouse/rows/well-formed.ts';
import { randomFrom, sigmoid } from '../../training/index.ts';
import {
  type CompiledMetric,
  type CompiledOutcomes,
  type CompiledWorkspace,
  manifestPathOf,
} from '../../workspace/index.ts';
import { type LabelledSet, labelledRows, longestWindowMs } from './labelled.ts';
import { type ModelSpec, specOf } from './spec.ts';
import { train } from './train.ts';
import { writeModel } from './write.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 15);
const shownOnes = 1_200;
/** Event time of the newest event. */
const now = start + 60 * hour;
let folder: string;
let warehouse: Warehouse;
let tokens = 0;

const put = (table: string, rows: readonly object[]): Promise<void> =>
  warehouse.insert(table, rows.map((row) => lineOf({ received: start, ...row })).join(''), `t${tokens++}`);

interface Shown {
  readonly id: string;
  readonly at: number;
  readonly views: number;
  readonly action: 'voucher' | 'chat';
  readonly isAccepted: boolean;
}

/** Vouchers are taken by who has looked around, chats by who has not: only the cross tells. */
function shownOffers(): Shown[] {
  const random = randomFrom(11);
  return Array.from({ length: shownOnes }, (_, n) => {
    const views = random.below(10);
    const action = random.below(2) === 0 ? 'voucher' : 'chat';
    const logit = (action === 'voucher' ? 1 : -1) * (views - 4.5) * 0.8 - 0.5;
    const at = start + n * 60_000;
    return { id: `d${n}`, at, views, action, isAccepted: random.uniform() < sigmoid(logit) };
  });
}

const decision = (id: string, time: number, change: object) =>
  rowOfDecision({ ...decisionOf(0, 1, id), time, placement: 'home', ...change } as never, 1n).row;
const exposure = (decisionId: string, time: number, change: object = {}) => ({
  ...{ decision: decisionId, tenant: 'shop', placement: 'home', time, position: tokens + 1 },
  ...change,
});
const outcome = (decisionId: string, time: number, change: object = {}) => ({
  ...{
    decision: decisionId,
    tenant: 'shop',
    placement: 'home',
    outcome: 'accepted',
    time,
    position: tokens + 1,
  },
  ...change,
});

const slot = { action: 'voucher', available: [], choicePropensity: 1, marginalPropensity: 1 };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'presage-train-'));
  warehouse = await openEmbeddedWarehouse({ folder: join(folder, 'clickhouse') });
  const shown = shownOffers();
  const others = [
    { id: 'simulated', at: start, change: { simulated: true } },
    { id: 'young', at: now - hour, change: {} },
    { id: 'elsewhere', at: start, change: { placement: 'cart' } },
    { id: 'rival', at: start, change: { tenant: 'rival' } },
    { id: 'unseen', at: start, change: {} },
    { id: 'unseen-and-ignored', at: start, change: {} },
    { id: 'late', at: start, change: {} },
    { id: 'slate', at: start, change: { slots: [slot, slot] } },
  ];
  const features = (views: number) => ({ features: { views, spent: null, city: 'Ulm' } });
  await put('decision_rows', [
    ...shown.map(({ id, at, views, action }) => decision(id, at, { action, ...features(views) })),
    ...others.map(({ id, at, change }) => decision(id, at, { action: 'voucher', ...features(1), ...change })),
  ]);
  await put('exposure_rows', [
    ...shown.map(({ id, at }) => exposure(id, at + 1_000)),
    exposure('simulated', start, { simulated: true }),
    exposure('young', now - hour),
    exposure('elsewhere', start, { placement: 'cart' }),
    exposure('rival', start, { tenant: 'rival' }),
    exposure('late', start + 500),
    exposure('slate', start + 600),
  ]);
  await put('outcome_event_rows', [
    ...shown.filter(({ isAccepted }) => isAccepted).map(({ id, at }) => outcome(id, at + 60_000)),
    outcome('d0', start + 2_000, { outcome: 'dismissed' }),
    outcome('unseen', start),
    outcome('late', start + 25 * hour),
  ]);
  await put('events', [
    { tenant: 'shop', subject: 'u:x', type: 'page', time: now, stated_time: now, id: 'e', position: 1 },
  ]);
});
afterAll(async () => {
  await warehouse.close();
  rmSync(folder, { recursive: true, force: true });
});

const outcomes: CompiledOutcomes = { timeoutMs: hour, windowMs: 24 * hour, scale: 2, metrics: [] };
const labelled = (change: object = {}, of = outcomes): Promise<LabelledSet> =>
  labelledRows(
    (sql) => warehouse.rows(sql),
    { outcomes: of, hash: 'another version' },
    {
      ...{ tenant: 'shop', placements: ['home'], metric: 'accepted' },
      ...{ withSimulated: false, now: now + 1_000 * hour, ...change },
    },
  );

const action = (name: string) => ({ name, attributes: { cost: 3 } });
const workspace = {
  features: [
    { name: 'views', kind: 'count', by: null, hash: 'h1' },
    { name: 'spent', kind: 'mean', by: null, hash: 'h2' },
    { name: 'city', kind: 'last', by: null, propertyType: 'string', hash: 'h3' },
  ],
  shared: [],
  models: new Map(),
  source: { models: {}, features: {} },
  placements: new Map([
    ['home', { name: 'home', model: null, actions: [action('voucher'), action('chat')] }],
  ]),
} as unknown as CompiledWorkspace;
const spec = (): ModelSpec => specOf(workspace, 'accept', 'home');

describe('labels', () => {
  it('are of decisions that were shown, oldest first, and whose window has closed in the time of events', async () => {
    const { rows, leftOut, otherWorkspace } = await labelled();
    const shown = shownOffers();
    expect(rows.filter(({ id }) => id !== 'late').map(({ id, label }) => [id, label])).toEqual(
      shown.map(({ id, isAccepted }) => [id, isAccepted ? 1 : 0]),
    );
    expect(rows.map(({ shownAt }) => shownAt)).toEqual(
      rows.map(({ shownAt }) => shownAt).toSorted((a, b) => a - b),
    );
    expect(rows.find(({ id }) => id === 'd7')?.features).toEqual({
      views: shown[7]?.views,
      spent: null,
      city: 'Ulm',
    });
    expect(leftOut).toEqual({ simulated: 1, immature: 1, neverShown: 1, severalSlots: 1 });
    expect(otherWorkspace).toBe(shownOnes + 1);
  });

  it('wait for the longest window of the workspace', async () => {
    const purchase = { windowMs: 90 * hour, timeoutMs: hour } as CompiledMetric;
    const { rows, leftOut } = await labelled({}, { ...outcomes, windowMs: 59.5 * hour });
    expect([rows.length, leftOut.immature]).toEqual([31, 1_171]);
    await expect(labelled({}, { ...outcomes, windowMs: 90 * hour })).resolves.toMatchObject({ rows: [] });
    expect(longestWindowMs({ ...outcomes, metrics: [purchase] })).toBe(90 * hour);
  });

  it('are of a metric that the workspace has', async () => {
    await expect(labelled({ metric: 'sold' })).rejects.toMatchObject({ code: 'unknown_metric' });
    expect((await labelled({ metric: 'converted' })).rows.filter(({ label }) => label === 1)).toEqual([]);
  });

  it('are of simulated visitors only when asked for', async () => {
    const { rows, leftOut } = await labelled({ withSimulated: true });
    expect(rows.some(({ id }) => id === 'simulated')).toBe(true);
    expect(leftOut.simulated).toBe(0);
  });
});

describe('training', () => {
  let usual: Promise<LabelledSet> | null = null;
  const options = async () => {
    usual ??= labelled();
    const { rows, leftOut } = await usual;
    return {
      spec: spec(),
      rows,
      leftOut,
      metric: 'accepted',
      longestWindow: '1d',
      calibration: 'platt' as const,
      seed: 1,
      now,
    };
  };

  it('of a new model reads the numbers of features and actions, and which action it is', () => {
    expect(spec().inputs).toEqual([
      { name: 'views', type: 'number', definition: 'h1' },
      { name: 'spent', type: 'number', definition: 'h2' },
      { name: 'action.cost', type: 'number' },
      { name: 'is.voucher', type: 'boolean' },
      { name: 'is.chat', type: 'boolean' },
    ]);
    expect(() => specOf(workspace, 'accept', undefined)).toThrow('--placement (there are: home)');
  });

  it('learns what suits whom, measured on the newest part, and writes a model that the scorer runs', async () => {
    const trained = await train(await options());
    expect(trained.parts).toEqual({ fitted: 720, calibrated: 240, heldOut: 241 });
    expect(trained.figures.logLoss).toBeLessThan(trained.logLossOfRate - 0.1);
    expect(trained.figures.auc).toBeGreaterThan(0.8);
    const path = join(folder, 'models', 'accept.trained.onnx');
    expect(await writeModel(path, trained)).toBeLessThan(1e-5);
    const manifest = modelManifest.parse(JSON.parse(readFileSync(manifestPathOf(path), 'utf8')));
    expect(manifest).toMatchObject({ id: 'accept', file: 'accept.trained.onnx', output: { of: 'accepted' } });
    expect(manifest.reliability?.rows).toBe(241);
    expect(manifest.trained).toMatchObject({ rows: 1_201, from: start + 500 });
    const { id, version, sha256, missing, defaults, block } = manifest;
    const inputs = manifest.inputs.map(({ name }) => name);
    const scorer = await loadScorer({ id, version, path, sha256, inputs, missing, defaults, block });
    const [high, low] = await scorer.score(Float32Array.of(9, -1, 3, 1, 0, 9, -1, 3, 0, 1), 2);
    expect(high).toBeGreaterThan((low ?? 1) + 0.4);
    await scorer.close();
  });

  it('gives the same file for the same decisions and seed', async () => {
    const [one, two] = [await train(await options()), await train(await options())];
    expect(Buffer.compare(one.file, two.file)).toBe(0);
  });

  it('refuses too few labels and says what was left out', async () => {
    const all = await options();
    await expect(train({ ...all, rows: all.rows.slice(0, 499) })).rejects.toMatchObject({
      code: 'too_few_labels',
      message: expect.stringMatching(
        /^There are 499 labelled exposures, \d+ of them "accepted"\. A model needs at least 500, .*1 simulated .*1 whose attribution window is still open \(the longest is 1d/,
      ),
    });
    const negatives = all.rows.map((row) => ({ ...row, label: 0 as const }));
    await expect(train({ ...all, rows: negatives })).rejects.toMatchObject({ code: 'too_few_labels' });
  });
});
