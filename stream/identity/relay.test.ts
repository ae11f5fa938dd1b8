import { Registry } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { partitions, start } from '../../tests/support/identity.ts';
import { patienceMs } from '../../tests/support/patience.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { memoryLog, type NewRecord } from '../log/index.ts';
import { memoryState } from '../state/index.ts';
import { makeRelay, relayReader } from './relay.ts';

/** A relay over what one partition published, and a log that can be troubled. */
async function rig(payloads: readonly string[], trouble: (records: readonly NewRecord[]) => void = () => {}) {
  const clock = manualClock(start);
  const store = memoryState({ clock });
  const log = memoryLog({ partitions, clock, maxBytes: 1 });
  const outbox = payloads.map((payload) => ({ kind: 'forward' as const, payload }));
  await store.commit(0, { previous: '', id: 'c1', position: 1, blobs: [], partitionState: null, outbox });
  const calls: number[] = [];
  const registry = new Registry();
  const relay = makeRelay({
    store,
    clock: { now: () => start, monotonic: () => performance.now() },
    logger: silentLogger(),
    registry,
    log: {
      partitions,
      append: async (records, isWayOut) => {
        calls.push(records.length);
        trouble(records);
        return log.append(records, isWayOut);
      },
    },
  });
  const values = async (): Promise<string[]> => {
    const found: string[] = [];
    await log.subscribe({
      group: 'test',
      startAt: async () => 0,
      onAssigned: (reader) => {
        void reader
          .next(100, 0)
          .then((records) => found.push(...records.map(({ value }) => value.toString())));
      },
      onRevoked: () => {},
    });
    await vi.waitFor(() => expect(found.length).toBeGreaterThan(0), patienceMs);
    return found;
  };
  const passed = (end: number) =>
    vi.waitFor(
      async () =>
        expect(JSON.parse((await store.readerState(0, relayReader)) ?? '{}')).toMatchObject({
          position: end,
        }),
      patienceMs,
    );
  return { relay, calls, values, passed, registry };
}

const move = (n: number, padding = 0): string =>
  JSON.stringify({ n, userId: 'ann', padding: 'x'.repeat(padding) });

it('takes what is to be moved above the memory bound, in order, and moves its position after the log has it', async () => {
  let failures = 3;
  const { relay, values, passed, calls } = await rig([move(1), move(2), move(3)], () => {
    if (failures-- > 0) throw new PresageError('log_unavailable', 'away', { retriable: true });
  });
  await relay.start();
  await passed(3);
  expect(calls).toEqual([3, 3, 3, 3]);
  expect((await values()).map((value) => JSON.parse(value).n)).toEqual([1, 2, 3]);
  expect(relay.health()).toEqual({ state: 'ok' });
  await relay.stop();
});

it('carries a bounded amount at a time', async () => {
  const { relay, calls, passed } = await rig(Array.from({ length: 20 }, (_, n) => move(n, 900_000)));
  await relay.start();
  await passed(20);
  expect(calls.length).toBeGreaterThan(4);
  expect(Math.max(...calls)).toBeLessThanOrEqual(5);
  await relay.stop();
});

it('counts a record that the log can never take, and goes on with the others', async () => {
  const { relay, values, passed, registry } = await rig([move(1), move(2, 2_000_000), move(3)]);
  await relay.start();
  await passed(3);
  expect(new Set((await values()).map((value) => JSON.parse(value).n))).toEqual(new Set([1, 3]));
  expect(await registry.metrics()).toContain(
    'presage_relay_records_total{kind="forward",result="refused"} 1',
  );
  await relay.stop();
});
