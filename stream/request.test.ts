import { describe, expect, it } from 'vitest';
import type { DecideRequest } from '../schemas/api.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root } from '../tests/support/program.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet, moveTo } from './features/index.ts';
import { readOutboxEntry } from './outbox.ts';
import { emptyPartitionState, encodePartitionState } from './partition-state.ts';
import { makeRequestDecider, requestDeadlineMs } from './request.ts';
import { memoryState, type RequestCommit, type StateStore } from './state/index.ts';

const start = Date.UTC(2026, 0, 1);
const small = await loadWorkspace(`${root}/tests/workspaces/small`);
const scorers = { get: () => undefined, close: async () => {} };

function rig(change: (store: StateStore) => Partial<StateStore> = () => ({}), workspace = small) {
  const clock = manualClock(start);
  const store = memoryState({ clock });
  const decide = makeRequestDecider({
    workspace,
    features: makeFeatureSet(workspace),
    scorers,
    clock,
    partitions: 1,
    store: { ...store, ...change(store) },
    logger: silentLogger(),
  });
  const recorded = async () => {
    const { start: from, end } = await store.outboxRange(0);
    return (await store.readOutbox(0, from, end - from, 0)).map(readOutboxEntry);
  };
  return { clock, store, decide, recorded };
}

const request = (changes: Partial<DecideRequest> = {}): DecideRequest => ({
  tenant: 'acme',
  subject: 'u:ann',
  session: 's1',
  placements: ['banner'],
  context: {},
  requestId: 'r1',
  receivedAt: start,
  simulated: false,
  ...changes,
});

describe('a decision on request', () => {
  it('gives repeats of a request id the first answer, and takes caps and records once', async () => {
    const { decide, recorded } = rig();
    const first = await decide(request());
    expect(first[0]).toMatchObject({ action: 'second', recorded: true, mode: 'act' });
    expect(await decide(request({ session: 'other', context: { changed: true } }))).toEqual(first);
    expect(await recorded()).toMatchObject([{ kind: 'decision', decision: first[0] }]);
    const next = await decide(request({ requestId: 'r2' }));
    expect(next[0]?.capsSeen).toMatchObject([{ used: 1, limit: 2 }]);
  });

  it('never goes over a cap, however many ask at once', async () => {
    const { decide } = rig();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => decide(request({ requestId: `r${n}` }))),
    );
    expect(answers.flat().filter(({ action }) => action === 'second')).toHaveLength(2);
    expect(answers.flat().filter(({ action }) => action === null)).toHaveLength(18);
  });

  it('takes nothing while the tenant is stopped', async () => {
    const { decide, store } = rig();
    const stop = { ...emptyPartitionState(), stopped: new Set(['acme']) };
    await store.commit(0, {
      previous: '',
      id: 'c1',
      position: 0,
      blobs: [],
      partitionState: encodePartitionState(stop),
      outbox: [],
    });
    const [stopped] = await decide(request());
    expect(stopped).toMatchObject({ mode: 'stopped', capsSeen: [] });
    const [other] = await decide(request({ tenant: 'bolt' }));
    expect(other).toMatchObject({ mode: 'act', action: 'second' });
  });

  it('heeds the stop switch although the partition has not come to it', async () => {
    const { store, clock } = rig();
    const decide = makeRequestDecider({
      workspace: small,
      features: makeFeatureSet(small),
      scorers,
      clock,
      partitions: 1,
      store,
      logger: silentLogger(),
      isStopped: (tenant) => tenant === 'acme',
    });
    expect(await decide(request())).toMatchObject([{ mode: 'stopped' }]);
    expect(await decide(request({ tenant: 'bolt' }))).toMatchObject([{ mode: 'act' }]);
  });

  it('answers nothing, unrecorded, at the deadline, and tells the store when nobody waits any more', async () => {
    const asked: RequestCommit[] = [];
    const { decide } = rig(() => ({
      request: (_partition, wanted) => {
        asked.push(wanted);
        return new Promise(() => {});
      },
    }));
    const [answer] = await decide(request());
    expect(answer).toMatchObject({ action: null, offer: null, recorded: false, rung: 'default' });
    expect(asked[0]?.patienceMs).toBeLessThanOrEqual(requestDeadlineMs);
  });

  it('asks business systems in its time, and keeps what they said with its age and source', async () => {
    const said = { name: 'stock', source: 'warehouse', value: 3, age: 120 };
    const asked: object[] = [];
    const { clock, store } = rig();
    const decide = makeRequestDecider({
      workspace: small,
      features: makeFeatureSet(small),
      scorers,
      clock,
      partitions: 1,
      store,
      logger: silentLogger(),
      lookups: {
        read: async ({ tenant, subject, placements }, withinMs) => {
          asked.push({ tenant, subject, placements, isInTime: withinMs > 0 && withinMs < requestDeadlineMs });
          return [said];
        },
      },
    });
    expect(await decide(request())).toMatchObject([{ lookups: [said], recorded: true }]);
    expect(asked).toEqual([{ tenant: 'acme', subject: 'u:ann', placements: ['banner'], isInTime: true }]);
    expect(await rig().decide(request())).toMatchObject([{ lookups: [] }]);
  });

  it('is refused under an idempotency key that was used for another question', async () => {
    const { decide } = rig();
    const first = await decide(request({ fingerprint: 'one' }));
    expect(first[0]?.startedBy).toMatchObject({ request: 'r1', fingerprint: 'one' });
    expect(await decide(request({ fingerprint: 'one' }))).toEqual(first);
    await expect(decide(request({ fingerprint: 'two' }))).rejects.toMatchObject({
      code: 'idempotency_key_reused',
      retriable: false,
    });
  });

  it('leaves the store alone once it has been away for many, and comes back when it answers', async () => {
    const world = { isAway: true, loads: 0 };
    const { decide, clock } = rig((store) => ({
      load: (partition, keys) => {
        world.loads += 1;
        return world.isAway ? new Promise(() => {}) : store.load(partition, keys);
      },
    }));
    const ask = async (n: number) =>
      (await decide(request({ requestId: `r${n}`, deadlineMs: 5 })))[0]?.recorded;
    for (let n = 0; n < 25; n++) expect(await ask(n)).toBe(false);
    expect(world.loads).toBe(20);
    world.isAway = false;
    expect(await ask(30)).toBe(false);
    clock.set(start + 500);
    expect(await ask(31)).toBe(true);
    expect(await ask(32)).toBe(true);
  });

  it("answers the placement's default without the store, unless the tenant is stopped", async () => {
    const banner = small.placements.get('banner');
    const [second] = banner?.actions.filter(({ name }) => name === 'second') ?? [];
    if (banner === undefined || second === undefined) throw new Error('The small workspace has a banner.');
    const help = { ...second, name: 'help', caps: [], content: { title: 'Help' } };
    const workspace = { ...small, placements: new Map([['banner', { ...banner, defaultAction: help }]]) };
    const { clock, store } = rig();
    const decide = makeRequestDecider({
      workspace,
      features: makeFeatureSet(small),
      scorers,
      clock,
      partitions: 1,
      store: { ...store, load: () => new Promise(() => {}) },
      logger: silentLogger(),
      isStopped: (tenant) => tenant === 'bolt',
    });
    expect(await decide(request())).toMatchObject([
      {
        action: 'help',
        mode: 'act',
        offer: { content: { title: 'Help' }, expiresAt: start + 600_000 },
        recorded: false,
        rung: 'default',
        rungReason: 'state_unavailable',
        deterministic: true,
      },
    ]);
    expect(await decide(request({ tenant: 'bolt' }))).toMatchObject([{ mode: 'stopped' }]);
  });

  it('refuses a placement that is not there by name', async () => {
    await expect(rig().decide(request({ placements: ['baner'] }))).rejects.toMatchObject({
      code: 'unknown_placement',
    });
  });

  it('records a ranking of a full placement with its contents', async () => {
    const { decide, recorded } = rig(undefined, full());
    const [answer] = await decide(request());
    expect(answer).toMatchObject({ recorded: true, action: 'action_0' });
    expect(await recorded()).toHaveLength(1);
  });
});

function full(): CompiledWorkspace {
  const banner = small.placements.get('banner');
  const second = banner?.actions.find(({ name }) => name === 'second');
  if (banner === undefined || second === undefined) throw new Error('The small workspace has a banner.');
  const actions = Array.from({ length: 200 }, (_, n) => ({
    ...second,
    name: `action_${n}`,
    content: { text: 'x'.repeat(16_000) },
  }));
  return { ...small, placements: new Map([['banner', { ...banner, actions }]]) };
}

describe('a decision on request for an anonymous id that has become a user', () => {
  const visitorId = 'visitor';
  const moved = async (isVouched: boolean) => {
    const world = rig();
    const features = makeFeatureSet(small);
    const visitor = features.empty();
    moveTo(features, visitor, 'ann', { id: 'i1', time: start, isVouched }, 5);
    const user = features.empty();
    const seen = { type: 'view', time: start - 1, session: null, properties: { sku: 'x', price: 2 } };
    for (const n of [1, 2, 3]) features.update(user, { ...seen, id: `e${n}` }, n);
    await world.store.commit(0, {
      previous: '',
      id: 'c1',
      position: 9,
      blobs: [
        [`acme:a:${visitorId}`, features.encode(visitor)],
        ['acme:u:ann', features.encode(user)],
      ],
      partitionState: null,
      outbox: [],
    });
    return world;
  };
  const asked = (changes: Partial<DecideRequest> = {}) => request({ subject: `a:${visitorId}`, ...changes });

  it('is about the user, and says for whom it was asked, where the link is vouched for', async () => {
    const { decide } = await moved(true);
    expect(await decide(asked())).toMatchObject([
      {
        subject: 'u:ann',
        identity: { askedFor: 'a:visitor' },
        features: { views: 3 },
        action: 'first',
        recorded: true,
        log: { position: 3 },
      },
    ]);
  });

  it('is about the user for who may ask about users, whoever sent the identify', async () => {
    const { decide } = await moved(false);
    expect(await decide(asked({ mayNameUsers: true }))).toMatchObject([
      { subject: 'u:ann', features: { views: 3 } },
    ]);
  });

  it('knows nothing of the user for others, and says so; caps count all the same', async () => {
    const { decide } = await moved(false);
    const [first] = await decide(asked());
    expect(first).toMatchObject({
      subject: 'a:visitor',
      identity: { hasMoved: true },
      features: { views: 0 },
      action: 'second',
    });
    await decide(request({ requestId: 'r2', subject: 'u:ann', session: 's2' }));
    const [third] = await decide(asked({ requestId: 'r3' }));
    expect(third?.capsSeen.find(({ action }) => action === 'second')).toMatchObject({ used: 1 });
  });

  it('gives a request id that was answered before the move its first answer', async () => {
    const { decide, store } = rig();
    const before = await decide(asked());
    const features = makeFeatureSet(small);
    const visitor = features.empty();
    moveTo(features, visitor, 'ann', { id: 'i1', time: start, isVouched: true }, 5);
    await store.commit(0, {
      previous: '',
      id: 'c1',
      position: 9,
      blobs: [['acme:a:visitor', features.encode(visitor)]],
      partitionState: null,
      outbox: [{ kind: 'transfer', payload: '{}', tenant: 'acme', subject: 'a:visitor' }],
    });
    expect(await decide(asked())).toEqual(before);
    expect(await decide(asked({ requestId: 'r2' }))).toMatchObject([{ subject: 'u:ann' }]);
  });

  it('is made again, from the user, when the state goes between reading and recording', async () => {
    const features = makeFeatureSet(small);
    const visitor = features.empty();
    moveTo(features, visitor, 'ann', { id: 'i1', time: start, isVouched: true }, 5);
    let hasMoved = false;
    const { decide, store, recorded } = rig((inner) => ({
      request: async (partition, wanted) => {
        if (!hasMoved) {
          hasMoved = true;
          await inner.commit(0, {
            previous: '',
            id: 'c1',
            position: 9,
            blobs: [['acme:a:visitor', features.encode(visitor)]],
            partitionState: null,
            outbox: [],
          });
        }
        return inner.request(partition, wanted);
      },
    }));
    expect(await decide(asked())).toMatchObject([
      { subject: 'u:ann', identity: { askedFor: 'a:visitor' }, recorded: true },
    ]);
    expect(await recorded()).toHaveLength(1);
    expect((await store.head(0)).commitId).toBe('c1');
  });
});
