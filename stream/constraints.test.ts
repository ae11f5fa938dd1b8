import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DecisionRecord, StoredEvent } from '../schemas/index.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root } from '../tests/support/program.ts';
import { startTestRedis, type TestRedis } from '../tests/support/redis.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet } from './features/index.ts';
import { recordOf } from './log/record.ts';
import { readOutboxEntry } from './outbox.ts';
import { decodePartitionState } from './partition-state.ts';
import { processBatch } from './process.ts';
import { commitOf } from './publish.ts';
import { redisConnector } from './redis/index.ts';
import { makeRequestDecider } from './request.ts';
import { redisState, type StateStore } from './state/index.ts';
import { SubjectCache } from './subjects.ts';
import { topology } from './topology.ts';

const start = Date.UTC(2026, 0, 5, 12);
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const workspace = await loadWorkspace(`${root}/tests/workspaces/constraints`);
const told = await loadWorkspace(
  '.',
  `version: 1
name: told
tenants:
  acme: { timezone: Europe/Paris, modes: { watched: observe } }
  bolt: { mode: observe, modes: { watched: act }, consent: { marketing: none } }
purposes: { marketing: { consent: required }, service: { consent: optional }, other: {} }
features:
  zone: { kind: last, of: view, property: zone }
channels:
  push: { quiet_hours: { from: "22:00", to: "08:00", timezone: zone } }
placements: { banner: {}, night: { channel: push }, live: { live: true } }
actions:
  sale: { placements: [banner], purpose: marketing, value: 9 }
  care: { placements: [banner], purpose: service, value: 5 }
  watched: { placements: [banner], purpose: other, value: 1 }
  wake: { placements: [night], value: 1 }
  now: { placements: [live], value: 1 }
triggers:
  on_banner: { on: view, when: event.place == "banner", placement: banner }
  on_night: { on: view, when: event.place == "night", placement: night }
  on_live: { on: view, when: event.place == "live", placement: live }
`,
);
const scorers = { get: () => undefined, close: async () => {} };

describe('constraints, for the stream and for requests', () => {
  let server: TestRedis;
  let store: StateStore;
  let rig: ReturnType<typeof makeRig>;
  let version = 0;
  beforeAll(async () => {
    server = await startTestRedis({ fsync: 'everysec' });
  });
  beforeEach(async () => {
    await store?.close();
    version += 1;
    store = redisState({ connector: redisConnector(server.url), version, clock: manualClock(start) });
    rig = makeRig(store, workspace);
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  const outcome = (action: string, what = 'dismissed') => ({
    type: '$outcome',
    properties: { decision: 'd', action, placement: 'banner', outcome: what },
  });

  it('count caps of a group, a placement and a channel with an action of its own', async () => {
    const seen = (record: DecisionRecord | undefined) =>
      record?.capsSeen.filter(({ action }) => action === record.action).map(({ cap, used }) => [cap, used]);
    const first = await rig.view('banner', start);
    expect(first?.action).toBe('tenth_off');
    expect(seen(first)).toEqual([
      ['group:discounts/subject/7d', 0],
      ['!discounts/tenth_off', 0],
      ['!:dismissed/tenth_off', 0],
      ['placement:banner/subject/1d', 0],
      ['channel:onsite/session', 0],
    ]);
    const second = await rig.ask('banner', start + minute);
    expect(second.action).toBe('tenth_off');
    const third = await rig.view('banner', start + 2 * minute);
    expect(third?.action).toBe('help');
    expect(verdict(third, 'tenth_off')).toEqual({
      stage: 'constraints',
      rule: 'group:discounts/subject/7d',
      saw: { used: 2, limit: 2 },
    });
    expect((await rig.view('banner', start + 3 * minute))?.action).toBe('help');
    const fifth = await rig.ask('banner', start + 4 * minute);
    expect(fifth.action).toBeNull();
    expect(verdict(fifth, 'help').rule).toBe('placement:banner/subject/1d');
    expect((await rig.ask('side', start + 5 * minute)).action).toBe('help');
    const last = await rig.view('side', start + 6 * minute);
    expect(verdict(last, 'help')).toEqual({
      stage: 'constraints',
      rule: 'channel:onsite/session',
      saw: { used: 5, limit: 5 },
    });
  });

  it('let the actions of a group exclude each other for a while, whoever asked', async () => {
    expect((await rig.view('banner', start))?.action).toBe('tenth_off');
    const other = await rig.ask('side', start + minute);
    expect(other.action).toBe('help');
    expect(verdict(other, 'free_shipping')).toEqual({
      stage: 'constraints',
      rule: '!discounts/free_shipping',
      saw: { used: 1, limit: 1 },
    });
    expect((await rig.view('side', start + hour))?.action).toBe('free_shipping');
  });

  it('count a day of the tenant, and a window of all its subjects together', async () => {
    expect((await rig.view('mail', start))?.action).toBe('voucher');
    expect((await rig.ask('mail', start + minute)).action).toBe('voucher');
    expect((await rig.view('mail', start + 2 * minute))?.action).toBe('voucher');
    const fourth = await rig.ask('mail', start + 3 * minute);
    expect(fourth.action).toBe('letter');
    expect(verdict(fourth, 'voucher')).toEqual({
      stage: 'constraints',
      rule: 'voucher/budget',
      saw: { used: 3, limit: 3, budget: 3 },
    });
    expect((await rig.view('mail', start + 4 * minute))?.action).toBe('letter');
    const sixth = await rig.view('mail', start + 5 * minute);
    expect(sixth?.action).toBeNull();
    expect(verdict(sixth, 'letter').rule).toBe('letter/tenant/1h');
    // A window is counted in twentieths: it is free again at most one of them later than it would have to be.
    expect((await rig.ask('mail', start + hour + 6 * minute)).action).toBe('letter');
    // Midnight in Paris.
    expect((await rig.view('mail', start + 11 * hour - 1))?.action).toBe('letter');
    expect((await rig.ask('mail', start + 11 * hour)).action).toBe('voucher');
  });

  it('keep an action back after it was dismissed, from that event on', async () => {
    expect((await rig.view('banner', start))?.action).toBe('tenth_off');
    await rig.happen(outcome('tenth_off', 'accepted'), start + minute);
    expect((await rig.ask('banner', start + 2 * minute)).action).toBe('tenth_off');
    await rig.happen(outcome('tenth_off'), start + 3 * minute);
    const asked = await rig.ask('banner', start + 7 * day - 1);
    expect(verdict(asked, 'tenth_off').rule).toBe('group:discounts/subject/7d');
    const cooled = await rig.ask('banner', start + 8 * day);
    expect(cooled.action).toBe('tenth_off');
    await rig.happen(outcome('tenth_off'), start + 8 * day + minute);
    const out = await rig.view('banner', start + 8 * day + 3 * day);
    expect(out?.action).toBe('free_shipping');
    expect(verdict(out, 'tenth_off')).toEqual({
      stage: 'constraints',
      rule: '!:dismissed/tenth_off',
      saw: { used: 1, limit: 1 },
    });
    expect((await rig.ask('banner', start + 15 * day + minute, 's2')).action).toBe('tenth_off');
  });
});

describe('what a person allows, and when', () => {
  let server: TestRedis;
  let store: StateStore;
  let rig: ReturnType<typeof makeRig>;
  let version = 100;
  beforeAll(async () => {
    server = await startTestRedis({ fsync: 'everysec' });
  });
  beforeEach(async () => {
    await store?.close();
    version += 1;
    store = redisState({ connector: redisConnector(server.url), version, clock: manualClock(start) });
    rig = makeRig(store, told);
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });
  const consent = (purposes: readonly string[], granted: boolean) => ({
    type: 'consent',
    properties: { purposes, granted, source: 'form' },
  });

  it('is asked where it is required, and heeded where it was refused', async () => {
    const silent = await rig.view('banner', start);
    expect(silent?.action).toBe('care');
    expect(verdict(silent, 'sale')).toEqual({
      stage: 'constraints',
      rule: 'no consent: marketing',
      saw: { 'consent.marketing': null },
    });
    await rig.happen(consent(['marketing', 'service'], true), start + minute);
    expect((await rig.view('banner', start + 2 * minute))?.action).toBe('sale');
    expect((await rig.ask('banner', start + 3 * minute)).action).toBe('sale');
    await rig.happen(consent(['marketing', 'service'], false), start + 4 * minute);
    const refused = await rig.ask('banner', start + 5 * minute);
    expect(refused.action).toBe('watched');
    expect(verdict(refused, 'care')).toEqual({
      stage: 'constraints',
      rule: 'no consent: service',
      saw: { 'consent.service': 'false' },
    });
    // Older news that come later change nothing.
    await rig.happen(consent(['marketing'], true), start + 3 * minute);
    expect((await rig.view('banner', start + 6 * minute))?.action).toBe('watched');
  });

  it('goes with the anonymous visitor who becomes a user', async () => {
    const features = makeFeatureSet(told);
    const implied = told.features.filter(({ name }) => name.startsWith('consent.')).map(({ name }) => name);
    expect(implied).toEqual(['consent.marketing', 'consent.service']);
    const visitor = features.empty();
    const user = features.empty();
    const event = { id: 'c1', time: start, session: null, ...consent(['marketing'], true) };
    features.update(visitor, event, 0);
    features.merge(user, visitor);
    expect(features.read(user, start + 1)['consent.marketing']).toBe('true');
  });

  it('is a mode of its own for a tenant and an action', async () => {
    await rig.happen(consent(['service'], false), start);
    expect(await rig.view('banner', start + minute)).toMatchObject({ action: 'watched', mode: 'observe' });
    const bolt = { tenant: 'bolt' };
    expect(await rig.ask('banner', start, 's1', bolt)).toMatchObject({ action: 'sale', mode: 'observe' });
    const watched = told.placements.get('banner')?.actions.find(({ name }) => name === 'watched');
    expect([watched?.modeFor?.('acme'), watched?.modeFor?.('bolt')]).toEqual(['observe', 'act']);
  });

  it('has quiet hours in the time zone of the person, or else of the tenant', async () => {
    const evening = Date.UTC(2026, 0, 5, 21, 30);
    const quiet = await rig.view('night', evening);
    expect(quiet?.action).toBeNull();
    expect(verdict(quiet, 'wake')).toEqual({
      stage: 'constraints',
      rule: 'quiet hours 22:00-08:00',
      saw: { local_time: '22:30', timezone: 'Europe/Paris' },
    });
    const there = { type: 'view', properties: { place: 'night', zone: 'America/New_York' } };
    expect((await rig.happen(there, evening + minute))?.action).toBe('wake');
    expect((await rig.ask('night', evening + 2 * minute)).action).toBe('wake');
    const late = await rig.ask('night', Date.UTC(2026, 0, 6, 4));
    expect(verdict(late, 'wake').saw).toEqual({ local_time: '23:00', timezone: 'America/New_York' });
    const nowhere = { type: 'view', properties: { place: 'night', zone: 'Mars/Olympus' } };
    const morning = await rig.happen(nowhere, Date.UTC(2026, 0, 6, 6, 59));
    expect(verdict(morning, 'wake').saw).toEqual({ local_time: '07:59', timezone: 'Europe/Paris' });
    expect((await rig.view('night', Date.UTC(2026, 0, 6, 7)))?.action).toBe('wake');
  });

  it('can be for live sessions only', async () => {
    const session = (state: string) => ({ type: '$session', properties: { state } });
    const nobody = await rig.view('live', start);
    expect(verdict(nobody, 'now')).toEqual({
      stage: 'constraints',
      rule: 'no live session',
      saw: { 'session.state': null },
    });
    await rig.happen(session('connected'), start + minute);
    expect((await rig.view('live', start + 2 * minute))?.action).toBe('now');
    await rig.happen(session('disconnected'), start + 3 * minute);
    expect((await rig.ask('live', start + 4 * minute)).action).toBeNull();
  });
});

const verdict = (record: DecisionRecord | null | undefined, action: string) =>
  record!.candidates.find((candidate) => candidate.action === action)!.verdict;

/** One subject in one partition: the worker's path event by event, and the request path beside it. */
function makeRig(store: StateStore, workspace: CompiledWorkspace) {
  const features = makeFeatureSet(workspace);
  const clock = manualClock(start);
  const path = topology({ workspace, features, scorers, clock, partitions: 1 }, 0);
  const cache = new SubjectCache({ store, features, partition: 0, limits: { subjects: 10, bytes: 1e6 } });
  const decider = makeRequestDecider({
    workspace,
    features,
    scorers,
    clock,
    partitions: 1,
    store,
    logger: silentLogger(),
  });
  let offset = 0;
  let previous = '';
  const happen = async (what: Pick<StoredEvent, 'type' | 'properties'>, time: number) => {
    const event: StoredEvent = {
      v: 1,
      id: `e${offset}`,
      tenant: 'acme',
      ...what,
      userId: 'ann',
      session: 's1',
      time,
      source: 'http',
    };
    const record = recordOf(offset, time, 'ann', Buffer.from(JSON.stringify(event)));
    const state = decodePartitionState(await store.partitionState(0));
    const batch = await processBatch(path, 0, [record], cache, state, null);
    const { end } = await store.outboxRange(0);
    const { commit } = commitOf(batch, features, previous, `c${offset}`);
    expect(await store.commit(0, commit)).toMatchObject({ kind: 'committed' });
    previous = commit.id;
    offset += 1;
    const entries = (await store.readOutbox(0, end, 10, 0)).map(readOutboxEntry);
    return entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []))[0];
  };
  return {
    happen,
    view: (place: string, time: number) => happen({ type: 'view', properties: { place } }, time),
    async ask(place: string, time: number, session = 's1', more: { tenant?: string } = {}) {
      const [record] = await decider({
        tenant: 'acme',
        subject: 'u:ann',
        session,
        placements: [place],
        context: {},
        requestId: `r${time}`,
        receivedAt: time,
        simulated: false,
        // On a busy machine an answer may take long; here it is about what it says.
        deadlineMs: 300_000,
        ...more,
      });
      return record!;
    },
  };
}
