import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureVector } from '../../../schemas/index.ts';
import { config, feature } from '../../../tests/support/features.ts';
import { type FeatureEvent, makeFeatureSet } from '../index.ts';
import { quoted } from './port.ts';
import { boundOf, featureQuery } from './query.ts';

let folder: string;
let clickhouse: Session;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-feature-sql-'));
  clickhouse = new Session(folder);
});
afterAll(async () => {
  clickhouse.close();
  await rm(folder, { recursive: true, force: true });
});

const second = 1_000;
const small = { bucketMs: 60 * second, buckets: 5 };
const price = { ...small, property: 'price' };
const step = (...types: string[]) => ({ types: new Set(types), where: null });
const twice = {
  windowMs: 300 * second,
  withinMs: 120 * second,
  keys: 128,
  of: ['view', 'click', '$outcome'],
  steps: [step('view'), step('view', 'click')],
};
const features = [
  feature('events', 'count', small),
  feature('clicks', 'count', { ...small, of: ['click', '$outcome'] }),
  feature('items', 'count', { ...small, by: 'item' }),
  feature('spent', 'sum', { ...price, scale: 2 }),
  feature('spent_by_item', 'sum', { ...price, scale: 2, by: 'item' }),
  feature('least', 'min', { ...price, scale: 2 }),
  feature('greatest', 'max', { ...price, scale: 0, of: ['click'] }),
  feature('greatest_by_item', 'max', { ...price, scale: 4, by: 'item' }),
  feature('average', 'mean', { ...price, scale: 3 }),
  feature('average_by_item', 'mean', { ...price, scale: 3, by: 'item' }),
  feature('last_item', 'last', { property: 'item' }),
  feature('last_price', 'last', { property: 'price', propertyType: 'number', of: ['click'] }),
  feature('recent', 'last_n', { property: 'item', n: 3 }),
  feature('recent_prices', 'last_n', { property: 'price', n: 2 }),
  feature('different', 'distinct', { ...small, property: 'item', max: 10 }),
  feature('since', 'time_since', { of: ['click', '$outcome'] }),
  feature('session_count', 'session', { measure: 'count' }),
  feature('session_clicks', 'session', { measure: 'count', of: ['click'] }),
  feature('session_duration', 'session', { measure: 'duration', of: ['view'] }),
  feature('fading', 'decay', { bucketMs: 15 * second, buckets: 96, halfLifeMs: 60 * second }),
  feature('about', 'approx_distinct', { ...small, property: 'item', precision: 10 }),
  feature('top', 'top_k', { ...small, property: 'item', n: 3, keys: 64 }),
  feature('twice', 'sequence', { ...twice, measure: 'count' }),
  feature('twice_since', 'sequence', { ...twice, measure: 'since', by: 'item' }),
  feature('twice_any', 'sequence', {
    ...twice,
    measure: 'any',
    steps: [step('view'), step('click', '$outcome'), step('click')],
  }),
];
const definition = config(features, { sessionGapMs: 30 * second, deduplicationMs: 600 * second });
const set = makeFeatureSet(definition);

const epoch = 1_700_000_000_000;
const number = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -40, max: 40 }).map((quarters) => quarters / 4) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1.005, 0.29, -1.005, 2.5, 1e-7, 4e11, -4e11, 1e20, 2e19, 1.5e21, -1e19),
  },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom('7', null, undefined, true, [1], { a: 1 }) },
);
const item = fc.constantFrom(
  'a',
  'b',
  'ü',
  7,
  '__proto__',
  false,
  null,
  'half \ud800',
  '😀'.repeat(200),
  `x${'😀'.repeat(200)}`,
  "it's \\",
);
const someEvent = fc.record({
  time: fc.oneof(
    fc.integer({ min: 0, max: 1_800 }).map((s) => epoch + s * second),
    fc.integer({ min: 0, max: 60_000 }).map((ms) => epoch + ms),
    // So that gaps and ages are often just as long as a session's gap or a window.
    fc.integer({ min: 0, max: 40 }).map((tens) => epoch + tens * 10 * second),
  ),
  type: fc.constantFrom('view', 'view', 'click', '$outcome'),
  session: fc.constantFrom(null, null, 'tab-1', 'tab-2'),
  properties: fc.record({ item, price: number }, { requiredKeys: [] }),
});

/** One subject: events in the order of the log, none later than the de-duplication window. */
const history = fc
  .array(fc.tuple(someEvent, fc.double({ min: 0, max: 0.99, noNaN: true })), {
    minLength: 1,
    maxLength: 30,
    size: 'max',
  })
  .map((events) =>
    events
      .map(([event, late], index): [FeatureEvent, number] => [
        { ...event, id: `id-${(index * 7) % 41}` },
        event.time + late * definition.deduplicationMs,
      ])
      .sort((a, b) => a[1] - b[1])
      .map(([event]) => event),
  );

interface Row {
  readonly tenant: string;
  readonly subject: string;
  readonly partition: number;
  readonly position: number;
}
const table = (columns: string, rows: readonly object[]): string =>
  `SELECT * FROM format(JSONEachRow, ${quoted(columns)}, ${quoted(rows.map((row) => JSON.stringify(row)).join('\n'))})`;
const place = 'tenant String, subject String, partition UInt32, position Int64';

/** What the engine serves at each point, and what the query computes there. */
async function both(histories: readonly (readonly FeatureEvent[])[], asks: readonly number[]) {
  const events: object[] = [];
  const points: (Row & { point: number; at: number })[] = [];
  const served: FeatureVector[] = [];
  histories.forEach((subjectEvents, subject) => {
    const state = set.empty();
    const at = { tenant: 'shop', subject: `u:${subject}`, partition: subject % 3 };
    const ask = (position: number, time: number) => {
      served.push(set.read(state, time));
      points.push({ ...at, position, point: points.length, at: time });
    };
    ask(-1, epoch);
    subjectEvents.forEach((event, index) => {
      const position = 1 + index * 3;
      if (set.update(state, event, position)) {
        const { session, properties, ...rest } = event;
        events.push({
          ...at,
          position,
          ...rest,
          session: session ?? '',
          properties: JSON.stringify(properties),
        });
      }
      ask(position, event.time);
      for (const seconds of asks) if (index % 7 === 3) ask(position + 1, epoch + seconds * second);
    });
  });
  const { sql, columns } = featureQuery(definition, {
    points: table(`point UInt32, ${place}, at Int64`, points),
    events: table(`${place}, time Int64, type String, id String, session String, properties String`, events),
    condition: () => null,
  });
  const rows = clickhouse
    .query(sql, 'JSONEachRow')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.length).toBe(points.length);
  const computed = new Map(
    rows.map((row) => [
      row.point,
      Object.fromEntries(columns.map(({ feature, column }) => [feature.name, row[column]])),
    ]),
  );
  const bounds = new Map(columns.map(({ feature }) => [feature.name, boundOf(feature)]));
  return points.map((point, index) => ({
    point,
    served: Object.fromEntries(
      Object.entries(served[index] ?? {}).map(([name, value]) => {
        const other = computed.get(index)?.[name];
        const bound = bounds.get(name);
        if (!bound) return [name, value];
        const most = Math.max(bound.absolute, bound.relative * Math.abs(Number(other)));
        return [name, Math.abs(Number(value) - Number(other)) <= most ? other : value];
      }),
    ),
    computed: computed.get(index),
  }));
}

describe('features computed by ClickHouse', { timeout: 300_000 }, () => {
  it('equal the served ones at every point of the log and every time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(history, { minLength: 20, maxLength: 25 }),
        fc.array(fc.integer({ min: -60, max: 2_500 }), { maxLength: 3 }),
        async (histories, asks) => {
          for (const { served, computed, point } of await both(histories, asks))
            expect({ point, ...computed }).toEqual({ point, ...served });
        },
      ),
      { numRuns: 2 },
    );
  });
});
