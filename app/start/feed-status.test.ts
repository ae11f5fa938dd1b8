import { expect, it } from 'vitest';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { relayReader } from '../../stream/index.ts';
import { memoryLog } from '../../stream/log/index.ts';
import { memoryState } from '../../stream/state/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { identify, partitions, recordOf, start, view, workspace } from '../../tests/support/identity.ts';
import { stepper } from '../../tests/support/stepper.ts';
import { makeFeedStatus } from './feed-status.ts';

it('waits for events that go on to a user before it counts', async () => {
  const clock = manualClock(start);
  const log = memoryLog({ partitions, clock });
  const store = memoryState({ clock });
  const scorers = { get: () => undefined, close: async () => {} };
  const features = makeFeatureSet(workspace);
  const steps = stepper({ workspace, features, scorers, clock, partitions, log, store });
  const events = [identify('i1', 'visitor', 'ann', 1), view('a1', { anonymousId: 'visitor' }, 2)].map(
    recordOf,
  );
  await log.append(events);
  const { partition } = events[0]!;

  const written = new Map<number, number>();
  const status = makeFeedStatus({
    log,
    store,
    sink: { passed: (p, offset) => (written.get(p) ?? 0) > offset },
    warehouse: { rows: async <T>() => [{ new: 2, duplicate: 0, dead: 0, again: 0, late: 0 }] as T[] },
  });
  const asked = () => status('run', new Map([[partition, 1]]));
  const save = async () => {
    for (let p = 0; p < partitions; p++) {
      const position = (await store.outboxRange(p)).end;
      await store.saveReaderState(p, relayReader, JSON.stringify({ position }));
    }
  };

  expect((await asked()).passed).toBe(false);
  await steps.work(partition, 10);
  written.set(partition, 2);
  expect((await asked()).passed).toBe(false);
  await steps.relay(partition, 10);
  await save();
  expect((await asked()).passed).toBe(false);
  for (let p = 0; p < partitions; p++) written.set(p, (await log.range(p)).end);
  expect(await asked()).toEqual({
    passed: true,
    totals: { new: 2, duplicate: 0, dead: 0, again: 0, late: 0 },
  });
});
