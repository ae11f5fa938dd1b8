import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patienceMs } from '../tests/support/patience.ts';
import { makeSite, type Site, type Tab } from './page.fixture.ts';

const until = (what: () => void) => vi.waitFor(what, { timeout: patienceMs, interval: 2 });
const host = 'https://presage.test';
let site: Site;
let tab: Tab;
beforeEach(() => {
  site = makeSite();
  tab = site.tab();
});
afterEach(() => tab.close());

const offer = { content: { title: 'Help' }, expiresAt: 1_750_000_600_000 };
const decided = (more: object = {}) => ({
  status: 200,
  body: {
    requestId: 'r',
    decisions: [
      { id: 'd1', placement: 'banner', action: 'help', offer, receipt: 'a.b', recorded: true, ...more },
    ],
  },
});
const reports = () =>
  site.requests.filter(({ url }) => url === `${host}/v1/outcomes`).flatMap(({ body }) => body.batch);
const waiting = () => tab.world.store.keys('o.').length;

describe('a page that asks what to show', () => {
  it('asks for its anonymous visitor, with key, session and context, and gets the offer', async () => {
    site.answers.push(decided());
    const presage = tab.presage(host);
    const found = await presage.decide('banner', { page: 'cart' });
    expect(found).toMatchObject({ decision: 'd1', placement: 'banner', action: 'help', ...offer });
    expect(site.requests[0]).toMatchObject({
      url: `${host}/v1/decide`,
      body: {
        writeKey: 'pk_shop',
        anonymousId: presage.anonymousId,
        session: expect.any(String),
        placement: 'banner',
        context: { page: 'cart' },
      },
    });
  });

  it.each([
    ['there is nothing to show', decided({ action: null, offer: null, receipt: undefined }), []],
    ['nobody answers', null, []],
    [
      'it is refused',
      { status: 400, body: { code: 'unknown_placement', message: 'There is no placement "banner".' } },
      ['decide refused: unknown_placement: There is no placement "banner".'],
    ],
  ])('gets nothing where %s', async (_, answer, warnings) => {
    site.answers.push(answer);
    expect(await tab.presage(host).decide('banner')).toBeNull();
    expect(site.warnings).toEqual(warnings);
  });

  it('reports what became of the offer, each thing once and the first answer only', async () => {
    site.answers.push(decided());
    const found = await tab.presage(host).decide('banner');
    found?.shown();
    found?.shown();
    found?.accept();
    found?.dismiss();
    await until(() => expect(waiting()).toBe(0));
    const timestamp = '2025-06-15T15:06:40.000Z';
    expect(reports()).toEqual([
      { receipt: 'a.b', outcome: 'shown', timestamp },
      { receipt: 'a.b', outcome: 'accepted', timestamp },
    ]);
  });

  it('keeps a report until the server has heard it, over page loads', async () => {
    site.answers.push(decided(), null, { status: 503 });
    const found = await tab.presage(host).decide('banner');
    found?.accept();
    await until(() => expect(site.requests).toHaveLength(2));
    tab.close();
    tab = site.tab();
    tab.presage(host).online();
    await until(() => expect(waiting()).toBe(0));
    expect(new Set(reports().map((report) => JSON.stringify(report))).size).toBe(1);
  });

  it('hands what is not sent yet to the browser when it goes', async () => {
    site.answers.push(decided());
    const presage = tab.presage(host);
    (await presage.decide('banner'))?.shown();
    presage.leave();
    expect(site.beacons).toMatchObject([{ writeKey: 'pk_shop', batch: [{ outcome: 'shown' }] }]);
    expect(waiting()).toBe(0);
  });
});
