import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { partitionOf, simulatedPrefix } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { recordOf } from '../../stream/log/record.ts';
import { emptyPartitionState } from '../../stream/partition-state.ts';
import { processBatch } from '../../stream/process.ts';
import { memoryState } from '../../stream/state/index.ts';
import { SubjectCache } from '../../stream/subjects.ts';
import { Horizon } from '../../stream/timers/horizon.ts';
import { topology } from '../../stream/topology.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { loadVisit, type Visit } from './module.ts';
import { randomOf } from './random.ts';

const start = Date.UTC(2026, 0, 1, 12);
const minutes = 3;
/** As the demo plays them (app/start/demo.ts, app/simulate.ts). */
const demo = { shoppers: 12, staggerMs: 300, betweenVisitsMs: 1_000, partitions: 4 };
const shopFolder = fileURLToPath(new URL('../../examples/shop', import.meta.url));
let workspace: CompiledWorkspace;
let visit: Visit;
beforeAll(async () => {
  workspace = await loadWorkspace(shopFolder);
  visit = await loadVisit(`${shopFolder}/simulate.mjs`);
});

/** What the shoppers of the demo do in its first minutes, by a clock of its own, who pass over all offers. */
function played(seed: number): StoredEvent[] {
  const events: StoredEvent[] = [];
  const end = start + minutes * 60_000;
  const clocks = Array.from({ length: demo.shoppers }, (_, shopper) => start + shopper * demo.staggerMs);
  for (let number = 0; ; number++) {
    // Whoever is free first plays the next visit.
    const shopper = clocks.indexOf(Math.min(...clocks));
    let time = clocks[shopper] ?? end;
    if (time >= end) return events.filter((event) => event.time < end).sort((a, b) => a.time - b.time);
    const anonymousId = `${simulatedPrefix}${seed}-${number}`;
    const steps = visit({ random: randomOf(`${seed}/${number}`), number });
    for (let next = steps.next([]); !next.done; next = steps.next([])) {
      const step = next.value;
      if ('wait' in step) time += step.wait;
      if (!('track' in step || 'page' in step)) continue;
      events.push({
        v: 1,
        id: `${anonymousId}-${events.length}`,
        tenant: 'shop',
        type: 'track' in step ? step.track : 'page',
        anonymousId,
        session: `${anonymousId}-session`,
        time,
        properties: ('track' in step
          ? { ...step.properties }
          : { name: step.page }) as StoredEvent['properties'],
        source: 'browser',
      });
    }
    clocks[shopper] = time + demo.betweenVisitsMs;
  }
}

/** The triggers that asked for a decision in one partition. */
async function firedIn(partition: number, events: readonly StoredEvent[]): Promise<string[]> {
  const clock = manualClock(start + minutes * 60_000);
  const store = memoryState({ clock });
  const features = makeFeatureSet(workspace);
  const { partitions } = demo;
  const scorers = { get: () => undefined, close: async () => {} };
  const records = events.map((event, offset) =>
    recordOf(offset, event.time, event.anonymousId ?? '', Buffer.from(JSON.stringify(event))),
  );
  const batch = await processBatch(
    topology({ workspace, features, scorers, clock, partitions }, partition),
    partition,
    records,
    new SubjectCache({ store, features, partition, limits: { subjects: 1_000, bytes: 1e9 } }),
    emptyPartitionState(),
    new Horizon({ store, partition, settled: async () => {} }),
  );
  expect(batch.dead).toEqual([]);
  expect(batch.records).toHaveLength(events.length);
  return batch.questions.flatMap(({ startedBy }) =>
    startedBy.kind === 'request' ? [] : [startedBy.trigger],
  );
}

describe('the shoppers of the demo', () => {
  it.each([1, 2, 3, 4])(
    'fill a cart, and leave one, within the first minutes: both triggers over time fire (seed %i)',
    async (seed) => {
      const events = played(seed);
      const fired: string[] = [];
      for (let partition = 0; partition < demo.partitions; partition++)
        fired.push(
          ...(await firedIn(
            partition,
            events.filter(({ anonymousId }) => partitionOf(anonymousId ?? '', demo.partitions) === partition),
          )),
        );
      const counts = ['cart_grew', 'left_cart'].map((name) => fired.filter((each) => each === name).length);
      for (const count of counts) expect(count).toBeGreaterThanOrEqual(3);
    },
  );
});
