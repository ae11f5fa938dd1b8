import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import {
  decisionsIn,
  features,
  identify,
  partitions,
  recordOf,
  rig,
  start,
  view,
  workspace,
} from '../../tests/support/identity.ts';
import { root } from '../../tests/support/program.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { readAll } from '../log/log.contract.ts';

const valuesOf = (state: Parameters<typeof features.read>[0] | null, at = start - 3_500_000) =>
  state === null ? null : features.read(state, at);
/** An anonymous id and a user whose partitions differ. */
const anon = 'visitor';
const user = 'ann';

describe('identify', () => {
  it('is tested across partitions', () => {
    expect(partitionOf(anon, partitions)).not.toBe(partitionOf(user, partitions));
  });

  it("makes what an anonymous id did the user's, adds it to what the user did, and forwards what comes later", async () => {
    const { send, settle, stateOf } = rig();
    await send(view('a1', { anonymousId: anon }, 1), view('u1', { userId: user }, 2));
    await settle();
    expect(valuesOf(await stateOf(`a:${anon}`))).toMatchObject({ views: 1, everything: 1 });
    await send(identify('i1', anon, user, 3), view('a2', { anonymousId: anon }, 4));
    await settle();
    expect((await stateOf(`a:${anon}`))?.moved).toEqual(expect.objectContaining({ to: user }));
    expect(valuesOf(await stateOf(`u:${user}`))).toMatchObject({
      views: 3,
      everything: 4,
      spent: 4.5,
      last_sku: 'sku-a2',
      seen: ['sku-a2', 'sku-u1', 'sku-a1'],
      visit: 4,
      visit_time: 99,
    });
  });

  it('starts a decision where it arrives, with the features of both', async () => {
    const { send, settle, outbox } = rig();
    await send(view('a1', { anonymousId: anon }, 1), view('u1', { userId: user }, 2));
    await settle();
    await send(identify('i1', anon, user, 3), view('a2', { anonymousId: anon }, 4));
    await settle();
    const decisions = decisionsIn(await outbox()).map(({ subject, startedBy, features: seen }) => [
      subject,
      'event' in startedBy ? startedBy.event : '',
      seen.views,
    ]);
    expect(decisions.sort()).toEqual([
      ['a:visitor', 'a1', 1],
      ['u:ann', 'a2', 3],
      ['u:ann', 'i1', 2],
      ['u:ann', 'u1', 1],
    ]);
  });

  it('counts the waits of both that there is no room for, and leaves out those due last', async () => {
    const timers = await loadWorkspace(`${root}/tests/workspaces/timers`);
    const { send, settle, store, metrics } = rig(undefined, undefined, timers);
    const carts = (who: Partial<StoredEvent>, name: string, from: number) =>
      Array.from({ length: 40 }, (_, i) => ({
        ...view(`${name}${i}`, who),
        type: 'cart',
        time: start - 3_600_000 + from + i,
        properties: { id: `${name}-${i}`, value: 50 },
      }));
    await send(...carts({ anonymousId: anon }, 'a', 0), ...carts({ userId: user }, 'u', 10));
    await settle();
    expect((await metrics.timersRefused.get()).values[0]?.value).toBe(0);
    await send(identify('i1', anon, user, 1));
    await settle();
    // Each of 80 carts waits for its own order, and the newest of all for any.
    expect((await metrics.timersRefused.get()).values[0]?.value).toBe(81 - 64);
    const [blob] = await store.load(partitionOf(user, partitions), [`acme:u:${user}`]);
    const waits = makeFeatureSet(timers).decode(blob ?? Buffer.alloc(0)).timers?.pending ?? [];
    const byDue = [...carts({}, 'a', 0), ...carts({}, 'u', 10)].sort(
      (a, b) => a.time - b.time || (a.id < b.id ? -1 : 1),
    );
    expect(waits.map(({ key }) => key)).toEqual(byDue.slice(0, 64).map(({ properties }) => properties.id));
  });

  it('brings nothing back when it comes again after its user was forgotten', async () => {
    const { send, settle, stateOf, log, outbox } = rig(undefined, undefined, {
      ...workspace,
      stateTtlMs: 600_000,
    });
    await send(view('a1', { anonymousId: anon }, 1));
    await settle();
    await send(identify('i1', anon, user, 2), view('a2', { anonymousId: anon }, 3));
    await settle();
    expect((await stateOf(`u:${user}`))?.position).toBe(1);
    const partition = partitionOf(user, partitions);
    const moves = (await readAll(log, partition, 2)).map(({ key, value }) => ({ partition, key, value }));
    const others = Array.from({ length: 100 }, (_, n) => `other-${n}`)
      .filter((id) => partitionOf(id, partitions) === partition)
      .slice(0, 2);
    await send(...others.map((userId) => view(`of ${userId}`, { userId }, 3_000)));
    await settle();
    expect(await stateOf(`u:${user}`)).toBeNull();
    // As a relay that lost its position does.
    await log.append(moves);
    await settle();
    expect(await stateOf(`u:${user}`)).toBeNull();
    const again = (await outbox()).flatMap((entry) =>
      entry.kind === 'batch' ? (entry.batch.redelivered ?? []) : [],
    );
    expect(again).toEqual([4, 5]);
  });

  it('carries caps along: both together never have more room than one', async () => {
    const { send, settle, outbox } = rig();
    await send(view('a1', { anonymousId: anon }, 1), view('u1', { userId: user }, 2));
    await settle();
    await send(identify('i1', anon, user, 3));
    await settle();
    const last = decisionsIn(await outbox()).find(
      ({ startedBy }) => 'event' in startedBy && startedBy.event === 'i1',
    );
    expect(last?.capsSeen.filter(({ action }) => action === 'first')).toMatchObject([{ used: 2, limit: 2 }]);
    expect(last?.action).toBe('second');
  });

  it('again, to the same user, changes nothing but is an event like others', async () => {
    const { send, settle, stateOf } = rig();
    await send(view('a1', { anonymousId: anon }, 1), identify('i1', anon, user, 2));
    await send(identify('i1', anon, user, 2), identify('i2', anon, user, 3));
    await settle();
    expect(valuesOf(await stateOf(`u:${user}`))).toMatchObject({ views: 1, everything: 3 });
  });

  it('to another user starts afresh: the second gets nothing of what the first has', async () => {
    const { send, settle, stateOf, outbox } = rig();
    await send(view('a1', { anonymousId: anon }, 1), identify('i1', anon, user, 2));
    await send(view('a2', { anonymousId: anon }, 3), identify('i2', anon, 'bob', 4));
    await send(
      view('a3', { anonymousId: anon }, 5),
      identify('i1', anon, user, 2),
      view('a4', { anonymousId: anon }, 6),
    );
    await settle();
    expect(valuesOf(await stateOf(`u:${user}`))).toMatchObject({ views: 2, everything: 3 });
    expect(valuesOf(await stateOf('u:bob'))).toMatchObject({ views: 2, everything: 3 });
    // The repeat of the first identify did not link it back.
    const reports = (await outbox()).flatMap((entry) => (entry.kind === 'batch' ? [entry.batch] : []));
    expect(reports.flatMap(({ duplicates }) => duplicates)).toHaveLength(1);
  });

  it('keeps tenants apart', async () => {
    const { send, settle, stateOf } = rig();
    await send(
      view('a1', { anonymousId: anon }, 1),
      view('b1', { anonymousId: anon, tenant: 'bolt' }, 1),
      identify('i1', anon, user, 2),
    );
    await settle();
    expect(valuesOf(await stateOf(`a:${anon}`, 'bolt'))).toMatchObject({ views: 1 });
    expect(await stateOf(`u:${user}`, 'bolt')).toBeNull();
  });

  it('forwards what the engine itself says of the anonymous id', async () => {
    const { send, settle, stateOf } = rig();
    await send(identify('i1', anon, user, 2), {
      ...view('x1', { anonymousId: anon }, 3),
      type: '$exposure',
      properties: { decision: 'd', action: 'first', placement: 'banner' },
      source: 'engine',
    });
    await settle();
    expect(valuesOf(await stateOf(`u:${user}`))).toMatchObject({ shown: 1, everything: 1 });
  });
});

describe('a decision about a user', () => {
  const both = { anonymousId: anon, userId: user };
  const pendingIn = async (outbox: () => Promise<Parameters<typeof decisionsIn>[0]>, event: string) =>
    decisionsIn(await outbox()).find(({ startedBy }) => 'event' in startedBy && startedBy.event === event)
      ?.identity;

  it('says which anonymous ids may still be on their way, until they have arrived', async () => {
    const { send, settle, outbox } = rig();
    await send(view('u1', { userId: user }, 1), view('b1', both, 2), view('u2', { userId: user }, 3));
    await settle();
    await send(identify('i1', anon, user, 4));
    await settle();
    await send(view('b2', both, 5));
    await settle();
    expect(await pendingIn(outbox, 'u1')).toBeUndefined();
    expect(await pendingIn(outbox, 'b1')).toEqual({ pendingTransfers: [anon] });
    expect(await pendingIn(outbox, 'u2')).toEqual({ pendingTransfers: [anon] });
    expect(await pendingIn(outbox, 'i1')).toBeUndefined();
    expect(await pendingIn(outbox, 'b2')).toBeUndefined();
  });

  it('stops saying so after ten minutes: there may never have been an identify', async () => {
    const { send, settle, outbox } = rig();
    await send(view('b1', both, 0), view('b2', both, 599), view('b3', both, 600));
    await settle();
    expect(await pendingIn(outbox, 'b2')).toEqual({ pendingTransfers: [anon] });
    expect(await pendingIn(outbox, 'b3')).toBeUndefined();
  });
});

describe('what an anonymous id waited for', () => {
  const firedAfter = async (...theirs: StoredEvent[]) => {
    const timers = await loadWorkspace(`${root}/tests/workspaces/timers`);
    const { send, settle, outbox } = rig(undefined, undefined, timers);
    const cart = { type: 'cart', properties: { id: 'c1', value: 5 } };
    await send({ ...view('cart', { anonymousId: anon }, 1), ...cart }, ...theirs);
    await settle();
    await send(identify('i1', anon, user, 3));
    await settle();
    // The user's partition goes on: what is due fires.
    await send({ ...view('later', { userId: user }, 120), properties: { price: 1 } });
    await settle();
    return decisionsIn(await outbox()).flatMap(({ subject, startedBy }) =>
      startedBy.kind !== 'request' && startedBy.trigger === 'abandoned' ? [subject] : [],
    );
  };

  it('goes along, and fires for the user', async () => {
    expect(await firedAfter()).toEqual([`u:${user}`]);
  });

  it('is re-checked against what the user did: an order elsewhere was what it waited for', async () => {
    const order = { ...view('order', { userId: user }, 10), type: 'order', properties: { id: 'c1' } };
    expect(await firedAfter(order)).toEqual([]);
  });
});

describe('what cannot be', () => {
  const lettersAfter = async (...records: ReturnType<typeof recordOf>[]) => {
    const { log, settle, outbox, stateOf } = rig();
    await log.append(records);
    await settle();
    const letters = (await outbox()).flatMap((entry) => (entry.kind === 'dead' ? [entry.dead] : []));
    return { codes: letters.map(({ code }) => code), letters, stateOf };
  };

  it('goes to the dead letters: one known user into another', async () => {
    const alias = { ...view('x', { userId: user }), type: 'alias', properties: { previousId: 'bob' } };
    const { letters } = await lettersAfter(recordOf(alias));
    expect(letters).toMatchObject([{ code: 'merge_of_known', message: expect.stringContaining('identify') }]);
  });

  it('goes to the dead letters: an event too large to be moved; the partition goes on', async () => {
    const large = view('big', { anonymousId: anon }, 3);
    large.properties = { sku: 'x'.repeat(300_000) };
    const { codes, stateOf } = await lettersAfter(
      recordOf(identify('i1', anon, user, 2)),
      recordOf(large),
      recordOf(view('a2', { anonymousId: anon }, 4)),
    );
    expect(codes).toEqual(['too_large_to_move']);
    expect(valuesOf(await stateOf(`u:${user}`))).toMatchObject({ views: 1 });
  });

  it('goes to the dead letters: moves that the engine would never make', async () => {
    const from = {
      version: 1,
      partition: partitionOf(anon, partitions),
      position: 7,
      appendedAt: start,
      anonymousId: anon,
      time: start - 5,
    };
    const move = (
      changes: Partial<StoredEvent>,
      properties: Record<string, unknown> = {},
      type = '$transfer',
    ): StoredEvent => ({
      ...view('forged', { userId: user }),
      source: 'engine',
      type,
      properties: { from, event: identify('i1', anon, user), state: null, caps: '{}', ...properties },
      ...changes,
    });
    const wrong: StoredEvent[] = [
      move({ source: 'http' }),
      move({ userId: undefined, anonymousId: anon }),
      move({}, { event: { ...identify('i1', anon, user), tenant: 'bolt' } }),
      move({}, { event: identify('i1', anon, 'bob') }),
      move({}, { event: view('v', { anonymousId: anon }) }),
      move({}, { event: view('v', { userId: 'bob', anonymousId: anon }) }, '$forward'),
      move({}, { event: move({}) }, '$forward'),
      move({}, { from: { ...from, partition: (from.partition + 1) % partitions } }),
      move({}, { from: { ...from, anonymousId: 'other' } }),
      move({}, { state: { blob: 'AAAA', layout: features.layoutDescription } }),
      move({}, { caps: '{"w:x":["many"]}' }),
      move({ properties: {} }),
    ];
    // Each from a place of its own, so that none passes for a repeat of the one before.
    const { codes, stateOf } = await lettersAfter(...wrong.map((event) => recordOf(event)));
    expect(codes.sort()).toEqual([...Array(11).fill('not_a_move'), 'state_unreadable']);
    expect(valuesOf(await stateOf(`u:${user}`))?.everything ?? 0).toBe(0);
  });
});
