import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../schemas/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import type { NewRecord } from '../log/port.ts';
import { emptyPartitionState, watermarkOf } from '../partition-state.ts';
import { Horizon } from './horizon.ts';
import { makeTicker } from './ticker.ts';
import { moveWatermark } from './watermark.ts';

const second = 1_000;
const now = Date.UTC(2026, 0, 1);
const year = 365 * 86_400 * second;

/** A partition where ann and bob were last seen a year ago by event time, just now by the clock, and these are due. */
async function rig(entries: [string, number][]) {
  const clock = manualClock(now);
  const appended: StoredEvent[] = [];
  const state = emptyPartitionState();
  const mark = watermarkOf(state, 'acme');
  for (const key of ['acme:u:ann', 'acme:u:bob']) moveWatermark(mark, key, now - year, now);
  const tick = makeTicker({
    log: {
      append: async (records: readonly NewRecord[]) => {
        for (const { value } of records)
          appended.push(JSON.parse(Buffer.from(value).toString()) as StoredEvent);
        return records.map((_, index) => index);
      },
    } as unknown as Parameters<typeof makeTicker>[0]['log'],
    clock,
    logger: silentLogger(),
    partition: 0,
    horizon: new Horizon({
      store: { earliestTimers: async () => entries },
      partition: 0,
      settled: async () => {},
    }),
    delayMs: 5 * second,
  });
  return { clock, appended, look: () => tick(state) };
}

describe('a ticker', () => {
  it('appends nothing until a timer is due by the pace of the clock, and then once', async () => {
    const { clock, appended, look } = await rig([['acme:u:ann', now - year + 40 * second]]);
    for (let ms = 0; ms < 45 * second; ms += second / 2) {
      clock.set(now + ms);
      await look();
    }
    expect(appended).toEqual([]);
    clock.set(now + 45 * second);
    await look();
    await look();
    expect(appended.map(({ type, tenant, time }) => [type, tenant, time])).toEqual([
      ['$tick', 'acme', now - year + 45 * second],
    ]);
    // It is on its way: asked again only when it has had time to arrive.
    clock.set(now + 46 * second);
    await look();
    expect(appended).toHaveLength(1);
    clock.set(now + 48 * second);
    await look();
    expect(appended).toHaveLength(2);
  });

  it('appends nothing where nothing is due, however long it is', async () => {
    const { clock, appended, look } = await rig([]);
    for (let day = 0; day < 1_000; day++) {
      clock.set(now + day * 86_400 * second);
      await look();
    }
    expect(appended).toEqual([]);
  });
});
