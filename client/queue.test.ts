import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patienceMs } from '../tests/support/patience.ts';
import { makeSite, type Site, type Tab } from './page.fixture.ts';
import { queueLimits } from './queue.ts';

const until = (what: () => void) => vi.waitFor(what, { timeout: patienceMs, interval: 2 });
const host = 'https://presage.test';
let site: Site;
let tab: Tab;
beforeEach(() => {
  site = makeSite();
  tab = site.tab();
});
afterEach(() => tab.close());

const stored = () => tab.world.store.keys('q.').length;
const sentIds = () => site.requests.flatMap(({ body }) => body.batch.map((event) => event.messageId));

describe('events', () => {
  it('of one moment go to /v1/batch together, with key, ids, session and page', async () => {
    const presage = tab.presage(host);
    presage.page('home');
    presage.track('product_viewed', { sku: 'AP-1' });
    presage.identify('ada', { plan: 'gold' });
    presage.track('product_added', { sku: 'AP-1' });
    await until(() => expect(stored()).toBe(0));
    expect(site.requests).toHaveLength(1);
    const { url, body } = site.requests[0]!;
    expect(url).toBe(`${host}/v1/batch`);
    expect(body.writeKey).toBe('pk_shop');
    expect(body.batch.map(({ type, event, userId }) => [type, event, userId])).toEqual([
      ['page', undefined, undefined],
      ['track', 'product_viewed', undefined],
      ['identify', undefined, 'ada'],
      ['track', 'product_added', 'ada'],
    ]);
    expect(body.batch[1]).toMatchObject({
      properties: { sku: 'AP-1' },
      anonymousId: presage.anonymousId,
      timestamp: '2025-06-15T15:06:40.000Z',
      context: { page: { path: '/' }, sessionId: expect.any(String) },
    });
  });

  it.each([
    ['no connection', null],
    ['503', { status: 503 }],
    ['429', { status: 429 }],
  ])('are sent again after %s, with the same ids, until they are taken', async (_, answer) => {
    site.answers.push(answer, answer);
    const presage = tab.presage(host);
    presage.track('a');
    await until(() => expect(site.requests).toHaveLength(3));
    await until(() => expect(stored()).toBe(0));
    expect(new Set(sentIds()).size).toBe(1);
  });

  it('wait as long as the server asks', async () => {
    site.answers.push({ status: 503, retryAfter: '20' });
    const presage = tab.presage(host);
    const statuses: string[] = [];
    presage.on('status', (status) => statuses.push(status));
    presage.track('a');
    await until(() => expect(statuses).toEqual(['away']));
    site.advance(19_999);
    expect(site.requests).toHaveLength(1);
    site.advance(11_000);
    await until(() => expect(stored()).toBe(0));
  });

  it('that the server refuses for good are dropped, with its sentence on the console', async () => {
    const rejected = [{ index: 0, code: 'wrong_type', message: 'properties.price: expected number' }];
    site.answers.push({ status: 400, body: { rejected } });
    tab.presage(host).track('a');
    await until(() => expect(stored()).toBe(0));
    expect(site.requests).toHaveLength(1);
    expect(site.warnings).toEqual(['event refused: wrong_type: properties.price: expected number']);
  });

  it('survive the page: what was not taken is sent by the next one', async () => {
    site.answers.push(null);
    const presage = tab.presage(host);
    presage.track('a');
    await until(() => expect(site.requests).toHaveLength(1));
    tab.close();
    const next = site.tab();
    next.presage(host).online();
    await until(() => expect(stored()).toBe(0));
    expect(new Set(sentIds()).size).toBe(1);
    next.close();
  });

  it('that still wait when the page goes are handed to the browser', () => {
    const presage = tab.presage(host);
    presage.track('a');
    presage.leave();
    expect(site.beacons[0]?.batch).toHaveLength(1);
    expect(stored()).toBe(0);
  });

  it('of several tabs are sent once', async () => {
    const tabs = [tab, site.tab(), site.tab()];
    const clients = tabs.map((each) => each.presage(host));
    for (let i = 0; i < 20; i++) for (const client of clients) client.track(`event ${i}`);
    await until(() => expect(stored()).toBe(0));
    expect(sentIds()).toHaveLength(60);
    expect(new Set(sentIds()).size).toBe(60);
    for (const each of tabs) each.close();
  });

  it('are bounded: the oldest go when the server stays away, and none is larger than it takes', async () => {
    site.answers.push(...Array.from({ length: 100 }, () => null));
    const presage = tab.presage(host);
    for (let i = 0; i < queueLimits.events + 5; i++) presage.track(`event ${i}`);
    expect(stored()).toBe(queueLimits.events);
    const [oldest = ''] = tab.world.store.keys('q.');
    expect(tab.world.store.get(oldest)).toContain('event 5');
    presage.track('large', { text: 'x'.repeat(queueLimits.eventBytes) });
    expect(stored()).toBe(queueLimits.events);
    expect(site.warnings).toEqual(['event refused: more than 32 KB']);
  });

  it.each([[''], [undefined], [7]])('named %j are refused with a sentence', (name) => {
    tab.presage(host).track(name as string);
    expect(stored()).toBe(0);
    expect(site.warnings).toEqual(['track needs the name of an event']);
  });
});

describe('a visitor', () => {
  const ids = async () => {
    await until(() => expect(stored()).toBe(0));
    return site.requests.at(-1)!.body.batch.at(-1) as unknown as {
      anonymousId: string;
      userId?: string;
      context: { sessionId: string };
    };
  };

  it('keeps anonymous id and session over tabs; the session ends after 30 quiet minutes', async () => {
    tab.presage(host).track('a');
    const first = await ids();
    site.advance(29 * 60_000);
    const other = site.tab();
    other.presage(host).track('b');
    expect(await ids()).toMatchObject({
      anonymousId: first.anonymousId,
      context: { sessionId: first.context.sessionId },
    });
    site.advance(30 * 60_000 + 1);
    other.presage(host).track('c');
    const last = await ids();
    expect(last.anonymousId).toBe(first.anonymousId);
    expect(last.context.sessionId).not.toBe(first.context.sessionId);
    other.close();
  });

  it('is somebody else after a reset', async () => {
    const presage = tab.presage(host);
    presage.identify('ada');
    const before = await ids();
    presage.reset();
    presage.track('a');
    const after = await ids();
    expect(after.userId).toBeUndefined();
    expect(after.anonymousId).not.toBe(before.anonymousId);
  });
});
