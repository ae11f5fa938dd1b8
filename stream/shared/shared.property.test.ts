import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root } from '../../tests/support/program.ts';
import { withRedis } from '../../tests/support/redis.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { stepper } from '../../tests/support/stepper.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { memoryLog } from '../log/index.ts';
import { redisConnector } from '../redis/index.ts';
import { memoryState, redisState, type StateStore } from '../state/index.ts';
import { makeSharedSnapshots, sharedGroups, sharedMetrics } from './index.ts';
import { readShared } from './reading.ts';

const now = Date.UTC(2026, 0, 1);
const minute = 60_000;
const workspace = await loadWorkspace(`${root}/tests/workspaces/shared`);
const scorers = { get: () => undefined, close: async () => {} };

interface Seen {
  readonly id: number;
  readonly tenant: string;
  readonly user: string;
  readonly type: 'view' | 'click';
  readonly item: string;
  readonly at: number;
  readonly price: number;
}

function rig(partitions: number, store: StateStore = memoryState({ clock: manualClock(now) })) {
  const clock = manualClock(now);
  const log = memoryLog({ partitions, clock });
  const registry = new Registry();
  const snapshots = makeSharedSnapshots({
    workspace,
    groups: sharedGroups(workspace),
    store,
    partitions,
    logger: silentLogger(),
    clock,
    onMissed: (feature) => metrics.missedReads.inc({ feature }),
  });
  const metrics = sharedMetrics(registry, () => snapshots);
  const features = makeFeatureSet(workspace);
  const steps = stepper({ workspace, features, scorers, clock, partitions, log, store, shared: snapshots });
  const append = (events: readonly Seen[]) =>
    log.append(
      events.map(({ id, tenant, user, type, item, at, price }) => ({
        partition: partitionOf(user, partitions),
        key: user,
        value: Buffer.from(
          JSON.stringify({
            v: 1,
            id: `e${id}`,
            tenant,
            type,
            userId: user,
            time: now - at * minute,
            properties: type === 'view' ? { item, price } : { item },
            source: 'http',
          }),
        ),
      })),
    );
  return { steps, snapshots, append, registry, clock };
}

/** From the definition: every event once, in windows that end with the newest of all. */
function byHand(events: readonly Seen[]) {
  const own = [...new Map(events.map((event) => [`${event.user} ${event.id}`, event])).values()];
  const bucket = ({ at }: Seen): number => Math.floor((now - at * minute) / minute);
  const newest = Math.max(...own.map(bucket));
  const inWindow = own.filter((event) => bucket(event) > newest - 60);
  const views = inWindow.filter(({ type }) => type === 'view');
  const countBy = (counted: readonly Seen[]) => {
    const counts: Record<string, number> = {};
    for (const { item } of counted) counts[item] = (counts[item] ?? 0) + 1;
    return counts;
  };
  const itemViews = countBy(views);
  const itemClicks = countBy(inWindow.filter(({ type }) => type === 'click'));
  return {
    item_views: itemViews,
    item_clicks: itemClicks,
    item_click_rate: Object.fromEntries(
      Object.entries(itemViews).map(([item, count]) => [item, (itemClicks[item] ?? 0) / count]),
    ),
    all_views: views.length,
    dearest: views.length === 0 ? null : Math.max(...views.map(({ price }) => price)),
  };
}

const seen: fc.Arbitrary<Seen> = fc
  .record({
    id: fc.integer({ min: 0, max: 15 }),
    user: fc.constantFrom('ann', 'bob', 'cid', 'dot', 'eve'),
    type: fc.constantFrom('view' as const, 'click' as const),
    item: fc.constantFrom('lamp', 'chair', 'sofa', 'a:b', '__proto__x', 'größe'),
    at: fc.integer({ min: 0, max: 90 }),
    price: fc.integer({ min: 0, max: 40 }).map((quarters) => quarters / 4),
  })
  // One id is one event: its repeats say the same.
  .map(({ id, user, ...rest }) => ({ id, user, tenant: 'acme', ...rest }));
const step = fc.record({
  partition: fc.nat(),
  limit: fc.integer({ min: 1, max: 6 }),
  dies: fc.constantFrom(undefined, undefined, 'before' as const, 'after' as const),
});

describe('features that all subjects share', () => {
  async function holds(
    numRuns: number,
    storeOf: () => StateStore = () => memoryState({ clock: manualClock(now) }),
  ): Promise<void> {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(seen, { selector: ({ id, user }) => `${user} ${id}`, minLength: 1, maxLength: 24 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 12 }),
        async (events, repeats, partitions, steps) => {
          const store = storeOf();
          const { steps: worker, snapshots, append } = rig(partitions, store);
          await append(events);
          await append(repeats.map((index) => events[index % events.length] as Seen));
          for (const { partition, limit, dies } of steps) {
            await worker.work(partition % partitions, limit, dies);
            await snapshots.refresh();
          }
          worker.crash();
          await worker.finish();
          await snapshots.refresh();
          const reading = snapshots.values('acme');
          const expected = byHand(events);
          for (const name of ['item_views', 'item_clicks', 'item_click_rate'] as const)
            expect({ ...Object(reading?.features[name]) }).toEqual(expected[name]);
          expect(reading?.features.all_views).toBe(expected.all_views);
          expect(reading?.features.dearest).toBe(expected.dearest);
          expect(snapshots.values('bolt')?.features).toMatchObject({ item_views: {}, all_views: 0 });
          await store.close();
        },
      ),
      { numRuns },
    );
  }

  it(
    'are at rest what all events give, whatever the partitions, order, repeats, batches and crashes',
    () => holds(200),
    600_000,
  );

  it(
    'are so with their blobs in Redis',
    () =>
      withRedis(
        async ({ url }) => {
          const connector = redisConnector(url);
          let version = 1;
          await holds(25, () => redisState({ connector, version: version++, clock: manualClock(now) }));
        },
        { fsync: 'everysec' },
      ),
    600_000,
  );
});

describe('a decision', () => {
  const view = (id: number, item: string): Seen => ({
    id,
    tenant: 'acme',
    user: `user-${id}`,
    type: 'view',
    item,
    at: 5,
    price: 2,
  });

  it("reads its candidates' own values, and its record holds what was read and which events were counted", async () => {
    const { steps, snapshots, append } = rig(2);
    await append([view(1, 'lamp'), view(2, 'lamp'), view(3, 'chair'), { ...view(4, 'lamp'), type: 'click' }]);
    await steps.finish();
    await snapshots.refresh();
    await append([{ ...view(5, 'lamp'), type: 'click', at: 4 }]);
    await steps.finish();
    const decisions = (await steps.outbox()).flatMap((entry) =>
      entry.kind === 'decision' ? [entry.decision] : [],
    );
    const [before, after] = [4, 5].map((id) => decisions.find(({ subject }) => subject === `u:user-${id}`));
    // Without a snapshot nothing is known, and a rule that needs it does not hold.
    expect(before?.action).toBe('other');
    expect(before?.shared).toBeUndefined();
    expect(after?.action).toBe('popular');
    expect(after?.candidates[0]?.score?.value).toBe(1.5);
    expect(after?.features).toEqual({
      own_views: 0,
      item_views: { lamp: 2 },
      item_clicks: {},
      item_click_rate: { lamp: 0.5 },
      all_views: 3,
      dearest: 2,
    });
    expect(Object.values(after?.shared?.positions ?? {}).reduce((sum, p) => sum + p + 1, 0)).toBe(4);
  });
});

describe('a map of shared values', () => {
  it('lists the keys that were asked for, as thousands may be there', () => {
    const values = { item_views: { lamp: 2, chair: 1 }, all_views: 3 };
    const reading = readShared({ features: values, positions: {} });
    const map = reading.features.item_views as Record<string, number>;
    expect([Object.hasOwn(map, 'lamp'), map.lamp, Object.hasOwn(map, 'sofa'), map.sofa]).toEqual([
      true,
      2,
      false,
      undefined,
    ]);
    expect(JSON.stringify(reading.features)).toBe('{"item_views":{"lamp":2},"all_views":3}');
    expect(reading.seen()).toEqual({ item_views: { lamp: 2 }, all_views: 3 });
  });
});

describe('what snapshots measure', () => {
  it('tells their age, items, full shards and keys that were asked for in vain', async () => {
    const { steps, snapshots, append, registry, clock } = rig(1);
    const figure = async (name: string) => {
      const metric = await registry.getSingleMetric(name)?.get();
      return metric?.values.map(({ value, labels }) => ({ ...labels, value }));
    };
    await append(
      Array.from({ length: 40 }, (_, id) => ({
        id,
        tenant: 'acme',
        user: 'ann',
        type: 'view' as const,
        item: `item-${id}`,
        at: 1,
        price: 1,
      })),
    );
    await steps.finish();
    await snapshots.refresh();
    expect(await figure('presage_shared_items')).toContainEqual({ tenant: 'acme', by: 'item', value: 40 });
    expect(await figure('presage_shared_full_shards')).toContainEqual({
      tenant: 'acme',
      by: 'item',
      value: 0,
    });
    const map = snapshots.read('acme')?.features.item_views as Record<string, number>;
    expect([map['item-1'], map['item-99'], Object.hasOwn(map, 'item-99')]).toEqual([1, undefined, false]);
    expect(await figure('presage_shared_missed_reads_total')).toEqual([{ feature: 'item_views', value: 1 }]);
    clock.set(clock.now() + 7_000);
    expect((await figure('presage_shared_snapshot_age_seconds'))?.[0]?.value).toBeCloseTo(7, 3);
  });
});
