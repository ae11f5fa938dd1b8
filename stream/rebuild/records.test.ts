import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import { type StoredEvent, transferProperties } from '../../schemas/index.ts';
import { identify, partitions, rig, start, view } from '../../tests/support/identity.ts';
import { root } from '../../tests/support/program.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { readAll } from '../log/log.contract.ts';
import type { HistoryRow } from './port.ts';
import { recordsOf } from './records.ts';

const anon = 'visitor';
const user = 'ann';
const workspace = await loadWorkspace(`${root}/tests/workspaces/timers`);

const cart = (id: string, seconds: number): StoredEvent => ({
  ...view(id, { anonymousId: anon }, seconds),
  type: 'cart',
  properties: { id, value: 50 },
});
const order = (id: string, seconds: number): StoredEvent => ({
  ...view(`order-${id}`, { anonymousId: anon }, seconds),
  type: 'order',
  properties: { id },
});

const appendedAt = start;
const rowOf = (event: StoredEvent, position: number): HistoryRow => ({
  position,
  appendedAt,
  event,
  transfer: null,
});

describe('a transfer made anew from the event table', () => {
  it('carries what the anonymous id waited for, as the one in the log did', async () => {
    const features = makeFeatureSet(workspace);
    const before = [cart('c1', 1), cart('c2', 12), order('c1', 14)];
    const became = identify('i1', anon, user, 20);
    const { send, settle, log } = rig(undefined, undefined, workspace);
    await send(...before, became);
    await settle();
    const own = partitionOf(user, partitions);
    const [sent] = await readAll(log, own, 1);
    const { properties } = JSON.parse(sent?.value.toString() ?? '') as StoredEvent;
    const { from, state } = transferProperties.parse(properties);
    const waits = features.decode(Buffer.from(state?.blob ?? '', 'base64')).timers;
    expect(
      waits?.pending.map(({ trigger, key, due }) => [trigger, key, (due - became.time) / 1_000]),
    ).toEqual([['this_cart', 'c2', 22]]);

    const closed = before.map(rowOf);
    const [made] = await recordsOf(
      [{ ...rowOf(became, 0), transfer: { from, hasState: true } }],
      {
        workspace,
        features,
        scorers: { get: () => undefined, close: async () => {} },
        clock: { now: () => start, monotonic: () => 0 },
        partitions,
      },
      { end: () => null, rows: async () => [], closed: async (asked) => asked.map(() => closed) },
    );
    const again = transferProperties.parse(
      (JSON.parse(made?.value.toString() ?? '') as StoredEvent).properties,
    );
    expect(features.decode(Buffer.from(again.state?.blob ?? '', 'base64')).timers).toEqual(waits);
  });
});
