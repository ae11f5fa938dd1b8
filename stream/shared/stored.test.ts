import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { event, feature } from '../../tests/support/features.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { sharedGroups, sharedKeyFor } from './groups.ts';
import { mergeShared, type Partial } from './merge.ts';

const folder = new URL('./fixtures/', import.meta.url);
const ring = { bucketMs: 60_000, buckets: 60 };
/** Hashes of their own, so that stored blobs of these features stay readable. */
const shared = [
  feature('views', 'count', { ...ring, by: 'item', keys: 50, of: ['view'], hash: 'h-views' }),
  feature('spent', 'sum', { ...ring, by: 'item', keys: 50, property: 'price', scale: 2, hash: 'h-spent' }),
  feature('dearest', 'max', { ...ring, property: 'price', scale: 2, hash: 'h-dearest' }),
];
const groups = sharedGroups({ shared, sessionGapMs: 1_800_000 } as unknown as CompiledWorkspace);

const start = 1_700_000_000_000;
const view = (seconds: number, item: string, price: number) =>
  event(start + seconds * 1_000, { type: 'view', properties: { item, price } });
/** By partition: three items in three shards, one of them seen in both. */
const stories = [
  [view(0, 'tent', 129.99), view(70, 'Schlafsack für zwei', 59.5), view(75, 'tent', 99)],
  [view(65, 'tent', 120), view(-7_200, 'lamp', 1_000)],
];

function written(): Record<string, string[]>[] {
  return stories.map((events) => {
    const states = new Map(
      events.flatMap(({ properties }) =>
        groups.map((group) => [
          sharedKeyFor('acme', group, properties) ?? '',
          { group, state: group.features.empty() },
        ]),
      ) as [
        string,
        { group: (typeof groups)[number]; state: ReturnType<(typeof groups)[number]['features']['empty']> },
      ][],
    );
    for (const [position, each] of events.entries())
      for (const group of groups) {
        const kept = states.get(sharedKeyFor('acme', group, each.properties) ?? '');
        if (kept !== undefined) group.features.update(kept.state, each, position);
      }
    return Object.fromEntries(
      [...states].map(([key, { group, state }]) => [
        key,
        Buffer.from(group.features.encode(state))
          .toString('hex')
          .match(/.{1,96}/g) ?? [],
      ]),
    );
  });
}

interface Fixture {
  readonly layouts: readonly string[];
  readonly partitions: readonly Record<string, string[]>[];
  readonly means: unknown;
}
const read = (file: string): Fixture => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));

describe('stored shards of shared features', () => {
  it.each(readdirSync(folder))('%s mean what they meant, under the keys that they had', (file) => {
    const { layouts, partitions, means } = read(file);
    for (const { features } of groups) for (const layout of layouts) features.learnLayout(layout);
    const partials = partitions.map(
      (blobs): Partial =>
        new Map(Object.entries(blobs).map(([key, hex]) => [key, Buffer.from(hex.join(''), 'hex')])),
    );
    expect(mergeShared('acme', groups, shared, partials)).toEqual(means);
  });

  it('are written as the newest version was', () => {
    const { layouts, partitions } = read('v4.json');
    expect(groups.map(({ features }) => features.layoutDescription)).toEqual(layouts);
    expect(written()).toEqual(partitions);
  });
});
