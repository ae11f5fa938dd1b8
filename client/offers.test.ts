import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeRig, type Rig } from '../sinks/socketio/push.fixture.ts';
import { patienceMs } from '../tests/support/patience.ts';
import type { Offer } from './offers.ts';
import { makeSite, type Site, type Tab } from './page.fixture.ts';
import type { Client } from './presage.ts';

const until = (what: () => void | Promise<void>) => vi.waitFor(what, { timeout: patienceMs, interval: 5 });
let rig: Rig;
let site: Site;
let tabs: Tab[];
beforeEach(async () => {
  rig = await makeRig();
  site = makeSite();
  tabs = [];
});
afterEach(async () => {
  for (const tab of tabs) tab.close();
  await rig.close();
});

interface Page {
  readonly tab: Tab;
  readonly presage: Client;
  readonly offers: Offer[];
  readonly ids: () => string[];
}

const openTab = (id?: string): Tab => {
  const tab = site.tab(id === undefined ? {} : { id });
  tabs.push(tab);
  return tab;
};
const openPage = (tab = openTab(), key?: string): Page => {
  const presage = tab.presage(rig.url, key);
  const offers: Offer[] = [];
  presage.on('offer', (offer) => offers.push(offer));
  return { tab, presage, offers, ids: () => offers.map((offer) => offer.decision) };
};
const sockets = async () =>
  (await rig.registry().getSingleMetric('presage_push_sockets')?.get())?.values[0]?.value ?? 0;
const connected = (count: number) => until(async () => expect(await sockets()).toBe(count));
const publish = (page: Page) => rig.publish(`a:${page.presage.anonymousId}`);
const wait = (ms: number) => {
  rig.clock.advance(ms);
  site.advance(ms);
};
const outcomes = () => rig.log.of('$outcome').map(({ properties }) => properties.outcome);

describe('an offer', () => {
  it('is given to the page, and reported when it is shown and answered', async () => {
    const page = openPage();
    await connected(1);
    const decision = publish(page);
    await until(() => expect(page.ids()).toEqual([decision]));
    expect(page.offers[0]).toMatchObject({ placement: 'banner', content: { title: 'Ships free' } });
    page.offers[0]!.shown();
    await until(() => expect(rig.log.of('$exposure')).toHaveLength(1));
    page.offers[0]!.accept();
    page.offers[0]!.dismiss();
    await until(() => expect(outcomes()).toEqual(['accepted']));
    expect(rig.log.of('$exposure')).toHaveLength(1);
  });

  it('counts as shown when it is answered', async () => {
    const page = openPage();
    await connected(1);
    publish(page);
    await until(() => expect(page.offers).toHaveLength(1));
    page.offers[0]!.dismiss();
    await until(() => expect(outcomes()).toEqual(['dismissed']));
    expect(rig.log.of('$exposure')).toHaveLength(1);
  });

  it('shows in one tab of several, even where a duplicated tab has the same id', async () => {
    const pages = [openPage(openTab('twin')), openPage(openTab('twin')), openPage()];
    await connected(3);
    const published = Array.from({ length: 15 }, () => publish(pages[0]!));
    await until(() =>
      expect(pages.flatMap((page) => page.ids()).sort()).toEqual(expect.arrayContaining(published)),
    );
    // Every tab has asked for every offer: no claim is still on its way.
    await until(async () => {
      const asked = await rig.registry().getSingleMetric('presage_push_messages_total')?.get();
      expect(asked?.values.find(({ labels }) => labels.message === 'claim')?.value).toBe(45);
    });
    expect(pages.flatMap((page) => page.ids()).sort()).toEqual([...published].sort());
  });

  it('waits for a tab to become visible, and is not shown when that is too late', async () => {
    const page = openPage();
    await connected(1);
    page.tab.isVisible = false;
    const decision = publish(page);
    await until(async () =>
      expect(
        (await rig.registry().getSingleMetric('presage_push_received_total')?.get())?.values[0]?.value,
      ).toBe(1),
    );
    expect(page.ids()).toEqual([]);
    page.tab.isVisible = true;
    page.presage.wake();
    await until(() => expect(page.ids()).toEqual([decision]));
    page.tab.isVisible = false;
    publish(page);
    await until(async () =>
      expect(
        (await rig.registry().getSingleMetric('presage_push_received_total')?.get())?.values[0]?.value,
      ).toBe(2),
    );
    wait(600_000);
    page.tab.isVisible = true;
    page.presage.wake();
    const next = publish(page);
    await until(() => expect(page.ids()).toEqual([decision, next]));
  });

  it('that was shown and not answered leaves the screen in time and is reported as expired', async () => {
    const page = openPage();
    const gone: string[] = [];
    page.presage.on('expired', (offer) => gone.push(offer.decision));
    await connected(1);
    const decision = publish(page);
    await until(() => expect(page.offers).toHaveLength(1));
    page.offers[0]!.shown();
    await until(() => expect(rig.log.of('$exposure')).toHaveLength(1));
    wait(600_000);
    expect(gone).toEqual([decision]);
    await until(() => expect(outcomes()).toEqual(['expired']));
  });

  it('that was claimed just before the page was left shows on the next page of the tab', async () => {
    const tab = openTab('mine');
    const page = openPage(tab);
    await connected(1);
    const decision = publish(page);
    await until(() => expect(page.ids()).toEqual([decision]));
    tab.close();
    // The page never got to show it: the record of showing is not there.
    site.storage.removeItem(`presage.s.${decision}`);
    const next = openPage(openTab('mine'));
    await until(() => expect(next.ids()).toEqual([decision]));
  });
});

describe('a report', () => {
  it('is kept until the server has heard it: over a lost connection, a restart and the end of the page', async () => {
    const page = openPage();
    await connected(1);
    publish(page);
    await until(() => expect(page.offers).toHaveLength(1));
    await rig.restart(() => page.offers[0]!.accept());
    page.tab.close();
    const next = openPage();
    expect(next.presage.anonymousId).toBe(page.presage.anonymousId);
    await until(() => expect(outcomes()).toEqual(['accepted']));
    expect(rig.log.of('$exposure')).toHaveLength(1);
    expect(next.ids()).toEqual([]);
  });
});

describe('a session', () => {
  it('of a known user is opened by a token, and by a fresh one each time where the page has a way to get it', async () => {
    const page = openPage();
    await connected(1);
    let asked = 0;
    page.presage.session(async () => {
      asked += 1;
      return 'shop ada';
    });
    await until(async () => expect(asked).toBe(1));
    await connected(1);
    const decision = rig.publish('u:ada');
    await until(() => expect(page.ids()).toEqual([decision]));
    await rig.restart();
    await until(() => expect(asked).toBe(2));
    page.presage.session(null);
    const other = publish(page);
    await until(() => expect(page.ids()).toEqual([decision, other]));
  });

  it('is not opened with a key that is refused, and the page is told', async () => {
    const page = openPage(openTab(), 'pk_forged');
    const statuses: string[] = [];
    page.presage.on('status', (status) => statuses.push(status));
    await until(() => expect(statuses).toContain('refused'));
    expect(site.warnings).toEqual(['connection refused: bad_key: The key is not known.']);
    expect(await sockets()).toBe(0);
  });

  it('comes back by itself after the server was away, and the page is told both', async () => {
    const page = openPage();
    const statuses: string[] = [];
    page.presage.on('status', (status) => statuses.push(status));
    await connected(1);
    await rig.restart();
    const decision = publish(page);
    await until(() => expect(page.ids()).toEqual([decision]));
    expect(statuses).toEqual(['connected', 'away', 'connected']);
  });

  it('is not opened while the page wants no offers', async () => {
    const tab = openTab();
    tab.presage(rig.url).track('a');
    await until(() => expect(site.requests).toHaveLength(1));
    expect(await sockets()).toBe(0);
  });
});
