import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadRowMap } from '../../app/feed/map.ts';
import { type PlannedEvent, planFeed } from '../../app/feed/plan.ts';
import { fileSource } from '../../app/feed/source.ts';
import type { FeatureVector } from '../../schemas/index.ts';
import { makeFeatureSet, type SubjectState } from '../../stream/features/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { type Reference, referenceFeatures } from './trivago.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const log = join(root, '..', 'shared', 'data', 'trivago-100k', 'trivago_val_100k.csv.gz');
const travel = join(root, 'examples', 'travel');
let planned: { rows: number; rejects: number; events: PlannedEvent[] };
let reference: Map<string, Reference>;

/** What the engine's features are after the whole log in one order, without log, Redis and worker around them. */
async function engineFeatures(order: 'forwards' | 'backwards'): Promise<Map<string, FeatureVector>> {
  const features = makeFeatureSet(await loadWorkspace(travel));
  const states = new Map<string, SubjectState>();
  const events = order === 'forwards' ? planned.events : planned.events.toReversed();
  let isNew = 0;
  for (const [position, { event }] of events.entries()) {
    const user = event.userId ?? '';
    const state = states.get(user) ?? features.empty();
    states.set(user, state);
    const { id, type, time, session = null, properties } = event;
    if (features.update(state, { id, type, time, session, properties }, position)) isNew++;
  }
  expect(isNew).toBe(100_003);
  return new Map([...states].map(([user, state]) => [user, features.read(state, state.newest)]));
}

describe.skipIf(!existsSync(log))(
  'features of the trivago log (skipped where the sample is not beside the checkout)',
  () => {
    beforeAll(async () => {
      reference = referenceFeatures(log);
      const map = await loadRowMap(join(travel, 'map.mjs'));
      const plan = await planFeed(fileSource(log), {
        name: log,
        map,
        order: 'time',
        format: null,
        sort: { folder: tmpdir(), memoryBytes: 1e9, diskBytes: 0, fanIn: 2 },
        signal: new AbortController().signal,
      });
      const events: PlannedEvent[] = [];
      for await (const event of plan?.from(0) ?? []) events.push(event);
      planned = { rows: plan?.rows ?? 0, rejects: plan?.rejectedCount ?? 0, events };
    });

    it('begin with every row', () => {
      expect([planned.rows, planned.events.length, planned.rejects]).toEqual([100_003, 100_003, 0]);
    });

    it.each(['forwards', 'backwards'] as const)('equal the reference for every user, %s', async (order) => {
      const engine = await engineFeatures(order);
      expect(engine.size).toBe(6_593);
      expect(reference.size).toBe(6_593);
      for (const [user, { exact, approximated }] of reference) {
        const { interest, hotels_7d: hotels, ...values } = engine.get(user) ?? {};
        expect(values, user).toEqual(exact);
        // The published bounds: docs/features.md.
        const off = Math.abs(Number(interest) - approximated.interest);
        expect(off, user).toBeLessThanOrEqual(5e-7 * approximated.interest + 6e-8 * approximated.looks);
        const error = Math.abs(Number(hotels) - approximated.hotels_7d);
        expect(error, user).toBeLessThanOrEqual(3 + (5 * 1.04 * approximated.hotels_7d) / 32);
      }
    });

    it('have values worth comparing', () => {
      const all = [...reference.values()].map(({ exact }) => exact);
      for (const name of Object.keys(all[0] ?? {})) {
        const different = new Set(all.map((values) => JSON.stringify(values[name])));
        expect(different.size, name).toBeGreaterThan(name === 'is_comparing' ? 1 : 2);
      }
    });
  },
);
