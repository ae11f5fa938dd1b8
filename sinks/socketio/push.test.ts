import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { asSubjectId, PresageError, partitionOf, rawIdOf } from '../../core/index.ts';
import { patienceMs } from '../../tests/support/patience.ts';
import { type Browser, makeRig, partitions, type Rig, visitor } from './push.fixture.ts';
import type { PushDeps } from './push.ts';

let rig: Rig;
const start = async (options: Partial<PushDeps> = {}) => {
  rig = await makeRig(options);
  return rig;
};
afterEach(() => rig.close());

const until = (what: () => void) => vi.waitFor(what, { timeout: patienceMs, interval: 5 });
const connected = (browser: Browser) => until(() => expect(browser.socket.connected).toBe(true));
const metric = async (name: string, labels: Record<string, string> = {}) => {
  const found = await rig.registry().getSingleMetric(name)?.get();
  const match = found?.values.filter((value) =>
    Object.entries(labels).every(([label, is]) => value.labels[label] === is),
  );
  return match?.reduce((sum, value) => sum + value.value, 0) ?? 0;
};
/** Resolves when every published entry has been handled: nothing more can be on its way. */
const handled = (total: number) =>
  until(async () => expect(await metric('presage_push_offers_total')).toBe(total));

describe('a visitor who turns out to be a user', () => {
  const identified = (as: string, source: string, kind: 'transfer' | 'forward' = 'transfer') => {
    const from = { version: 1, partition: 0, position: 1, appendedAt: 1, anonymousId: 'v1', time: 1 };
    const event = { type: 'identify', anonymousId: 'v1', userId: as, source };
    const record = { tenant: 'shop', userId: as, type: `$${kind}`, properties: { from, event } };
    rig.store.raw(0, { kind, payload: JSON.stringify(record), resolution: null, mark: '', caps: '{}' });
  };

  it("gets the user's offers on the socket that is open, and may claim and report them", async () => {
    const { connect, publish, log } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    const own = publish('a:v1');
    await until(() => expect(browser.ids()).toEqual([own]));
    identified('ann', 'http');
    const theirs = publish('u:ann');
    await until(() => expect(browser.ids()).toEqual([own, theirs]));
    for (const decision of [own, theirs]) {
      expect(await browser.ask('claim', { decision, tab: 't' })).toMatchObject({ granted: true });
      expect(await browser.ask('shown', { decision })).toEqual({ ok: true });
    }
    expect(log.of('$exposure').map(({ userId, anonymousId }) => userId ?? anonymousId)).toEqual([
      'v1',
      'ann',
    ]);
  });

  it('gets what waits for the user when it connects later', async () => {
    const { connect, publish } = await start({ findLink: async () => asSubjectId('u:ann') });
    const waiting = publish('u:ann');
    await handled(1);
    const browser = connect(visitor('v1'));
    await until(() => expect(browser.ids()).toEqual([waiting]));
  });

  it('gets nothing of a user whom only a browser named, until a backend says so too', async () => {
    const { connect, publish } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    identified('ann', 'browser');
    identified('ann', 'browser', 'forward');
    publish('u:ann');
    await handled(1);
    expect(browser.offers).toEqual([]);
    identified('ann', 'http', 'forward');
    await until(() => expect(browser.offers).toHaveLength(1));
  });

  it('gets nothing more of the first user once another has signed in', async () => {
    const { connect, publish } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    identified('ann', 'http');
    identified('bob', 'browser');
    await until(() => expect(rig.store.saved(0)).toBe(2));
    publish('u:ann');
    await handled(1);
    identified('bob', 'http', 'forward');
    const theirs = publish('u:bob');
    await until(() => expect(browser.ids()).toEqual([theirs]));
  });

  it("takes nothing from a session that was opened with the user's token", async () => {
    const { connect, publish } = await start();
    const browser = connect({ token: 'shop ann' });
    await connected(browser);
    identified('ann', 'http');
    const decision = publish('u:ann');
    await until(() => expect(browser.ids()).toEqual([decision]));
  });
});

describe('an offer', () => {
  it('reaches the live session of its subject, with its content and what is left of its time', async () => {
    const { connect, publish, pushed } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    const decision = publish('a:v1');
    await until(() => expect(browser.offers).toHaveLength(1));
    expect(browser.offers[0]).toMatchObject({
      decision,
      action: 'free_shipping',
      placement: 'banner',
      content: { title: 'Ships free' },
      because: 'cart_grew',
      expiresInMs: 600_000,
    });
    expect(pushed).toEqual([
      expect.objectContaining({ decision, tenant: 'shop', subject: 'a:v1', latencyMs: 12 }),
    ]);
    await until(async () => expect(await metric('presage_push_received_total')).toBe(1));
  });

  it('reaches nobody else: not another visitor, not the same id of another tenant or as a user', async () => {
    const { connect, publish } = await start();
    const others = [
      visitor('v2'),
      { key: 'pk_rival', anonymousId: 'v1' },
      { token: 'shop v1' },
      { token: 'rival v1' },
    ].map(connect);
    await Promise.all(others.map(connected));
    const mine = connect(visitor('v1'));
    await connected(mine);
    publish('a:v1');
    await until(() => expect(mine.offers).toHaveLength(1));
    expect(others.flatMap((other) => other.offers)).toEqual([]);
  });

  it('waits for a visitor who is away, and comes when they connect', async () => {
    const { connect, publish } = await start();
    const ids = [publish('a:v1'), publish('a:v1')];
    await handled(2);
    const browser = connect(visitor('v1'));
    await until(() => expect(browser.ids()).toEqual(ids));
    expect(await metric('presage_push_offers_total', { result: 'waiting' })).toBe(2);
  });

  it('is not delivered at or after its expiry, neither live nor on connecting', async () => {
    const { connect, publish, clock } = await start();
    publish('a:v1');
    await handled(1);
    clock.advance(600_000);
    publish('a:v1', { offer: { content: {}, expiresAt: clock.now() } });
    await handled(2);
    const browser = connect(visitor('v1'));
    await connected(browser);
    const fresh = publish('a:v1');
    await until(() => expect(browser.ids()).toEqual([fresh]));
  });

  it.each([
    ['observe', { mode: 'observe' as const }, 'observed'],
    ['stopped', { mode: 'stopped' as const }, 'stopped'],
    ['nothing chosen', { action: null, offer: null }, 'nothing'],
    ['answered by /v1/decide', { startedBy: { kind: 'request' as const, request: 'r1' } }, 'answered'],
  ])('is not made by a decision that is %s', async (_, change, result) => {
    const { connect, publish } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    publish('a:v1', change);
    const next = publish('a:v1');
    await until(() => expect(browser.ids()).toEqual([next]));
    expect(await metric('presage_push_offers_total', { result })).toBe(1);
  });

  it('is held back everywhere by the stop switch: pushed, waiting, or not yet shown', async () => {
    const { connect, publish, stopped } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    const early = publish('a:v1');
    await until(() => expect(browser.ids()).toEqual([early]));
    stopped.add('shop');
    publish('a:v1');
    await handled(2);
    expect(await browser.ask('claim', { decision: early, tab: 't' })).toMatchObject({ granted: false });
    const later = connect(visitor('v1'));
    await connected(later);
    stopped.clear();
    const next = publish('a:v1');
    await until(() => expect(later.ids()).toEqual([next]));
    expect(browser.ids()).toEqual([early, next]);
  });
});

describe('what a browser reports', () => {
  const received = async () => {
    await start();
    const browser = rig.connect(visitor('v1'));
    await connected(browser);
    const decision = rig.publish('a:v1');
    await until(() => expect(browser.offers).toHaveLength(1));
    return { browser, decision };
  };

  it('is in the log, in the partition of its subject, before it is acknowledged', async () => {
    const { browser, decision } = await received();
    expect(await browser.ask('shown', { decision })).toEqual({ ok: true });
    expect(await browser.ask('accepted', { decision })).toEqual({ ok: true });
    const properties = { decision, action: 'free_shipping', placement: 'banner' };
    expect(rig.log.of('$exposure')).toEqual([
      expect.objectContaining({ tenant: 'shop', anonymousId: 'v1', source: 'engine', properties }),
    ]);
    expect(rig.log.of('$outcome')[0]).toMatchObject({ properties: { ...properties, outcome: 'accepted' } });
    const partition = partitionOf(rawIdOf(asSubjectId('a:v1')), partitions);
    expect(rig.log.records.every((record) => record.key === 'v1' && record.partition === partition)).toBe(
      true,
    );
  });

  it('has one id however often it is sent, so that a repeat counts once', async () => {
    const { browser, decision } = await received();
    for (let i = 0; i < 3; i++) await browser.ask('shown', { decision });
    expect(new Set(rig.log.of('$exposure').map((event) => event.id)).size).toBe(1);
    await browser.ask('dismissed', { decision });
    await browser.ask('accepted', { decision });
    expect(new Set(rig.log.of('$outcome').map((event) => event.id)).size).toBe(2);
  });

  it('takes the offer out of the inbox, so that reconnecting does not bring it back', async () => {
    const { browser, decision } = await received();
    await browser.ask('shown', { decision });
    const again = rig.connect(visitor('v1'));
    await connected(again);
    const next = rig.publish('a:v1');
    await until(() => expect(again.ids()).toEqual([next]));
  });

  it('is refused, and kept out of the log, for a decision of somebody else', async () => {
    const { decision } = await received();
    for (const auth of [visitor('v2'), { key: 'pk_rival', anonymousId: 'v1' }, { token: 'shop v1' }]) {
      const stranger = rig.connect(auth);
      await connected(stranger);
      for (const name of ['shown', 'accepted', 'dismissed', 'expired'])
        expect(await stranger.ask(name, { decision })).toMatchObject({ ok: false, code: 'unknown_decision' });
      expect(await stranger.ask('claim', { decision, tab: 't' })).toMatchObject({
        ok: false,
        code: 'unknown_decision',
      });
    }
    expect([...rig.log.of('$exposure'), ...rig.log.of('$outcome')]).toEqual([]);
  });

  it('is not acknowledged while the log is away, and goes through once it is back', async () => {
    const { browser, decision } = await received();
    rig.log.failure = new PresageError('log_full', 'The log is full.', { retriable: true });
    expect(await browser.ask('shown', { decision })).toEqual({
      ok: false,
      code: 'log_full',
      message: 'The log is full.',
      retriable: true,
    });
    rig.log.failure = null;
    expect(await browser.ask('shown', { decision })).toEqual({ ok: true });
    expect(rig.log.of('$exposure')).toHaveLength(1);
  });

  it('shown after the expiry is believed only of an offer that was claimed in time', async () => {
    const { browser, decision } = await received();
    const other = rig.publish('a:v1');
    await until(() => expect(browser.offers).toHaveLength(2));
    await browser.ask('claim', { decision, tab: 't' });
    rig.clock.advance(600_000);
    expect(await browser.ask('shown', { decision })).toEqual({ ok: true });
    expect(await browser.ask('shown', { decision: other })).toMatchObject({ ok: false, code: 'expired' });
  });

  it('expired is taken only when it is true', async () => {
    const { browser, decision } = await received();
    expect(await browser.ask('expired', { decision })).toMatchObject({ ok: false, code: 'not_expired' });
    rig.clock.advance(600_000);
    expect(await browser.ask('expired', { decision })).toEqual({ ok: true });
    expect(rig.log.of('$outcome')[0]?.properties).toMatchObject({ outcome: 'expired' });
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'd0'],
    ['a number for an id', { decision: 7 }],
    ['an endless id', { decision: 'd'.repeat(65) }],
    ['null', null],
  ])('is answered with a sentence when it is %s', async (_, body) => {
    const { browser } = await received();
    expect(await browser.ask('shown', body)).toMatchObject({ ok: false, code: 'bad_message' });
    expect(await browser.ask('nonsense', body)).toMatchObject({ ok: false, code: 'unknown_message' });
    expect(browser.socket.connected).toBe(true);
  });

  it('without asking for an answer does no harm', async () => {
    const { browser, decision } = await received();
    browser.socket.emit('shown');
    browser.socket.emit('claim', { decision });
    browser.socket.emit('shown', { decision });
    await until(() => expect(rig.log.of('$exposure')).toHaveLength(1));
  });
});

describe('a claim', () => {
  it('is granted to one of any number of tabs and devices, in any order of asking', async () => {
    await start();
    const tabs = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const tab = rig.connect(visitor('v1'));
        await connected(tab);
        return tab;
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 2, maxLength: 8 }), async (order) => {
        rig.clock.advance(1_000);
        const decision = rig.publish('a:v1');
        await until(() => expect(tabs.every((tab) => tab.ids().includes(decision))).toBe(true));
        const replies = await Promise.all(
          order.map(async (tab) => ({
            tab,
            ...(await tabs[tab]!.ask('claim', { decision, tab: `tab ${tab}` })),
          })),
        );
        const winners = new Set(
          replies.filter((reply) => 'granted' in reply && reply.granted).map(({ tab }) => tab),
        );
        expect(winners.size).toBe(1);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a connection', () => {
  it.each([
    ['no credentials', {}, 'bad_key'],
    ['an unknown key', { key: 'pk_other', anonymousId: 'v1' }, 'bad_key'],
    ['a forged token', { token: 'shop u1; drop' }, 'bad_token'],
  ])('with %s is refused with a code and a sentence', async (_, auth, code) => {
    const { connect } = await start();
    const browser = connect(auth);
    const error = await new Promise<Error & { data?: unknown }>((refused) =>
      browser.socket.on('connect_error', refused),
    );
    expect(error.data).toMatchObject({ code, message: expect.stringMatching(/\.$/), retriable: false });
    expect(browser.socket.connected).toBe(false);
  });

  it('tells no internals when checking credentials breaks', async () => {
    const { connect } = await start({
      authenticate: () => Promise.reject(new Error('ECONNREFUSED redis://secret@10.0.0.1')),
    });
    const browser = connect(visitor('v1'));
    const error = await new Promise<Error>((refused) => browser.socket.on('connect_error', refused));
    expect(error.message).not.toContain('secret');
  });

  it('ends with its token', async () => {
    const { connect } = await start({
      authenticate: async () => ({
        tenant: 'shop',
        subject: asSubjectId('u:1'),
        session: 's',
        expiresAt: 1_750_000_000_000 + 50,
      }),
    });
    const browser = connect({ token: 't' });
    const refused = new Promise((told) => browser.socket.on('refused', told));
    expect(await refused).toMatchObject({ code: 'token_expired' });
    await until(() => expect(browser.socket.connected).toBe(false));
  });

  it('beyond the limits per visitor and in all is refused', async () => {
    const { connect } = await start({ limits: { socketsPerSubject: 2, sockets: 3 } });
    const refusal = (browser: Browser) =>
      new Promise<unknown>((refused) =>
        browser.socket.on('connect_error', (error: Error & { data?: unknown }) => refused(error.data)),
      );
    for (let i = 0; i < 2; i++) await connected(connect(visitor('v1')));
    expect(await refusal(connect(visitor('v1')))).toMatchObject({ code: 'too_many_sockets' });
    await connected(connect(visitor('v2')));
    expect(await refusal(connect(visitor('v3')))).toMatchObject({ code: 'too_many_sockets' });
  });

  it('attempts above the rate are turned away', async () => {
    const { connect, clock } = await start({ limits: { connectionBurst: 2, connectionsPerSecond: 1 } });
    await connected(connect(visitor('v1')));
    await connected(connect(visitor('v2')));
    const late = connect(visitor('v3'));
    await until(async () =>
      expect(
        await metric('presage_push_connections_total', { result: 'too_many_connections' }),
      ).toBeGreaterThan(0),
    );
    expect(late.socket.connected).toBe(false);
    clock.advance(1_000);
    await connected(late);
  });

  it('that talks too fast is told so, and closed when it does not stop', async () => {
    const { connect, publish } = await start({
      limits: { messageBurst: 3, messagesPerSecond: 1, refusalsPerSocket: 5 },
    });
    const browser = connect(visitor('v1'));
    await connected(browser);
    const decision = publish('a:v1');
    await until(() => expect(browser.offers).toHaveLength(1));
    for (let i = 0; i < 3; i++) expect(await browser.ask('shown', { decision })).toEqual({ ok: true });
    expect(await browser.ask('shown', { decision })).toMatchObject({ code: 'too_many_messages' });
    for (let i = 0; i < 5; i++) browser.socket.emit('shown', { decision });
    await until(() => expect(browser.socket.connected).toBe(false));
  });

  it('that sends a message above the size limit is closed', async () => {
    const { connect } = await start();
    const browser = connect(visitor('v1'));
    await connected(browser);
    const closed = new Promise((reason) => browser.socket.once('disconnect', reason));
    browser.socket.emit('shown', { decision: 'x'.repeat(20_000) });
    expect(await closed).toBe('transport close');
  });

  it('of a subject is in the log when its first socket comes and when its last one goes', async () => {
    const { connect, log } = await start();
    const tabs = [connect(visitor('v1')), connect(visitor('v1'))];
    await Promise.all(tabs.map(connected));
    tabs[0]!.socket.close();
    await until(async () => expect(await metric('presage_push_sockets')).toBe(1));
    expect(log.of('$session').map((event) => event.properties)).toEqual([{ state: 'connected' }]);
    tabs[1]!.socket.close();
    await until(() =>
      expect(log.of('$session').map((event) => event.properties.state)).toEqual([
        'connected',
        'disconnected',
      ]),
    );
  });

  it('does not depend on the log', async () => {
    const { connect, log, publish } = await start();
    log.failure = new PresageError('log_unavailable', 'away', { retriable: true });
    const browser = connect(visitor('v1'));
    await connected(browser);
    publish('a:v1');
    await until(() => expect(browser.offers).toHaveLength(1));
    expect(await metric('presage_push_session_events_total', { result: 'failed' })).toBe(1);
  });
});

describe('the outbox', () => {
  it('is continued where it was left after a restart', async () => {
    const { connect, publish, restart, store } = await start();
    publish('a:v1');
    await handled(1);
    await restart();
    expect(store.saved(1)).toBe(1);
    const next = publish('a:v2');
    const browser = connect(visitor('v2'));
    await until(() => expect(browser.ids()).toEqual([next]));
    expect(await metric('presage_push_offers_total')).toBe(1);
  });

  it('is continued at its oldest entry when the saved position was trimmed, with a count', async () => {
    const { publish, restart, store } = await start();
    publish('a:v1');
    await handled(1);
    await restart(() => {
      for (let i = 0; i < 3; i++) publish('a:v1');
      store.trim(1, 3);
    });
    await handled(1);
    expect(await metric('presage_push_outbox_lost_total')).toBe(1);
    expect(rig.health()).toEqual({ state: 'ok' });
  });

  it('is read again from its oldest entry when Redis went back in time', async () => {
    const { publish, store, connect } = await start();
    for (let i = 0; i < 5; i++) publish(`a:v${i}`);
    await handled(5);
    store.rewind(1, 2);
    await until(async () => expect(await metric('presage_push_outbox_lost_total')).toBe(1));
    const other = publish('a:other');
    const browser = connect(visitor('other'));
    await until(() => expect(browser.ids()).toEqual([other]));
  });

  it('is read again from its oldest entry when Redis went back in time and has as many entries again', async () => {
    const { publish, store, connect } = await start();
    for (let i = 0; i < 5; i++) publish(`a:v${i}`);
    await handled(5);
    store.rewind(1, 2);
    const others = [0, 1, 2, 3].map((i) => publish(i === 0 ? 'a:other' : `a:w${i}`));
    await until(async () => expect(await metric('presage_push_outbox_lost_total')).toBe(1));
    const browser = connect(visitor('other'));
    await until(() => expect(browser.ids()).toEqual([others[0]]));
  });

  it('is not held up by an entry that cannot be read', async () => {
    const { connect, publish, store } = await start();
    store.raw(1, { kind: 'decision', payload: '{"record":', resolution: null, mark: 'm' });
    const next = publish('a:v1');
    const browser = connect(visitor('v1'));
    await until(() => expect(browser.ids()).toEqual([next]));
    expect(await metric('presage_push_offers_total', { result: 'unreadable' })).toBe(1);
  });

  it('is tried again while it is away', async () => {
    const { connect, publish, store } = await start();
    store.failure = new PresageError('state_unavailable', 'Redis is away', { retriable: true });
    const browser = connect(visitor('v1'));
    await connected(browser);
    const decision = publish('a:v1');
    await until(() => expect(rig.health()).toEqual({ state: 'degraded', why: 'Redis is away' }));
    store.failure = null;
    await until(() => expect(browser.ids()).toEqual([decision]));
    await until(() => expect(rig.health()).toEqual({ state: 'ok' }));
  });
});

describe('a cut connection', () => {
  it('costs no offer and shows none twice: two tabs, 50 cuts by either side, restarts in between', async () => {
    await start();
    const tabs = [rig.connect(visitor('v1')), rig.connect(visitor('v1'))];
    await Promise.all(tabs.map(connected));
    const published: string[] = [];
    const shown: string[] = [];
    // What a tab does with an offer it has not seen; without an answer it has not shown it and will ask again.
    const show = async (tab: Browser, name: string) => {
      for (const decision of new Set(tab.ids())) {
        if (shown.includes(decision)) continue;
        const claim = await tab.ask('claim', { decision, tab: name }).catch(() => null);
        if (claim?.granted !== true) continue;
        shown.push(decision);
        await tab.ask('shown', { decision }).catch(() => undefined);
      }
    };
    for (let cut = 0; cut < 50; cut++) {
      const tab = tabs[cut % 3 === 0 ? 0 : 1]!;
      published.push(rig.publish('a:v1'));
      if (cut % 10 === 5) await rig.restart();
      else if (cut % 2 === 0) tab.socket.io.engine.close();
      else tab.socket.disconnect().connect();
      published.push(rig.publish('a:v1'));
      await until(async () => {
        await Promise.all(tabs.map((each, name) => show(each, `tab ${name}`)));
        expect(shown).toEqual(expect.arrayContaining(published));
      });
    }
    expect([...shown].sort()).toEqual([...published].sort());
  });
});
