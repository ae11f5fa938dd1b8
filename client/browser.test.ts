import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openShop, type Shop } from './shop.fixture.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const timeout = 60_000;
let browser: Browser;
let context: BrowserContext;
let shop: Shop;
const problems: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: flags,
  });
});
afterAll(() => browser.close());
beforeEach(async () => {
  shop = await openShop();
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  problems.length = 0;
});
afterEach(async () => {
  await context.close();
  await shop.close();
});

const open = async (hash = '') => {
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(`${shop.url}/demo/${hash}`);
  return page;
};
const anonymousId = (page: Page) => page.evaluate(() => localStorage.getItem('presage.anon'));
const isConnected = (page: Page) => page.locator('#sees[data-status=connected]').waitFor({ timeout });
const publish = async (page: Page, change = {}) => shop.rig.publish(`a:${await anonymousId(page)}`, change);
const until = (what: () => unknown, message = 'in time') =>
  expect.poll(what, { timeout, interval: 20, message });
const drawerOffer = (content: object) => ({
  action: 'bundle',
  placement: 'drawer',
  offer: { content, expiresAt: shop.rig.clock.now() + 300_000 },
});
const outcomes = () => shop.rig.log.of('$outcome').map(({ properties }) => properties.outcome);

describe('the demo shop', () => {
  it("tells Presage of the visitor's clicks, in the workspace's words", async () => {
    const tracked = () =>
      shop.events.filter(({ type }) => type === 'track').map(({ event, properties }) => [event, properties]);
    const page = await open();
    await page.getByRole('link', { name: 'Larch Trail Shoe' }).click();
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByRole('searchbox').fill('kayak');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: /^Cart/ }).click();
    await page.getByRole('button', { name: 'Go to checkout' }).click();
    // Back within the same moment, the shop would never have shown the page.
    await until(() => tracked().at(-1)?.[0]).toBe('checkout_started');
    await page.goBack();
    await until(() => tracked().length).toBe(6);
    await page.getByRole('button', { name: 'Remove Larch Trail Shoe' }).click();
    const shoe = { sku: 'AP-101', category: 'shoes', price: 119 };
    await until(tracked).toEqual([
      ['product_viewed', shoe],
      ['product_added', { ...shoe, quantity: 1 }],
      ['search', { query: 'kayak', results: 0 }],
      ['cart_viewed', { value: 119, items: 1 }],
      ['checkout_started', { value: 119 }],
      ['cart_viewed', { value: 119, items: 1 }],
      ['product_removed', { sku: 'AP-101' }],
    ]);
    expect(problems).toEqual([]);
  });

  it('shows an offer, reports it as shown, and takes the answer', async () => {
    const page = await open();
    await isConnected(page);
    await publish(page, drawerOffer({ title: 'Goes well together', body: 'Socks!', cta: 'Show me' }));
    const drawer = page.locator('#drawer');
    await drawer.getByText('Goes well together').waitFor({ timeout });
    await until(() => shop.rig.log.of('$exposure').length).toBe(1);
    await drawer.getByRole('button', { name: 'Show me' }).click();
    await until(outcomes).toEqual(['accepted']);
    await until(() => page.url()).toContain('#/p/AP-205');
    expect(await drawer.getByText('Goes well together').count()).toBe(0);
    await publish(page);
    await page.locator('#banner').getByRole('button', { name: 'Dismiss' }).click();
    await until(outcomes).toEqual(['accepted', 'dismissed']);
    expect(problems).toEqual([]);
  });

  it('shows an offer in one of two tabs', async () => {
    const tabs = [await open(), await open()];
    await Promise.all(tabs.map(isConnected));
    const shownIn = async () =>
      (await Promise.all(tabs.map((tab) => tab.locator('#banner .offer').count()))).reduce((a, b) => a + b);
    for (let round = 1; round <= 5; round++) {
      await publish(tabs[0]!);
      await until(() => shop.rig.log.of('$exposure').length).toBe(round);
      // Both have asked for it by now or will be refused: wait for both answers.
      await until(async () => {
        const asked = await shop.rig.registry().getSingleMetric('presage_push_messages_total')?.get();
        return asked?.values.find(({ labels }) => labels.message === 'claim')?.value;
      }).toBe(round * 2);
      expect(await shownIn()).toBe(1);
      for (const tab of tabs) {
        const close = tab.locator('#banner .close');
        if ((await close.count()) > 0) await close.dispatchEvent('click');
      }
    }
    expect(new Set(shop.rig.log.of('$exposure').map(({ id }) => id)).size).toBe(5);
  });

  it('treats what an offer says as text', async () => {
    const page = await open();
    await isConnected(page);
    await publish(page, drawerOffer({ title: '<img src=x onerror=alert(1)>', body: '<b>bold</b>' }));
    await page.locator('#drawer').getByText('<b>bold</b>').waitFor({ timeout });
    expect(await page.locator('#drawer img').count()).toBe(0);
  });

  it('says so when Presage is away, keeps the clicks, and sends them when it is back', async () => {
    const page = await open();
    await isConnected(page);
    shop.isAway = true;
    const before = shop.events.length;
    await page.getByRole('button', { name: 'Add Spring Bottle to the cart' }).click();
    await page.locator('#sees[data-status=away]').waitFor({ timeout });
    expect(await page.locator('#sees .line').textContent()).toContain('Presage is away');
    shop.isAway = false;
    await until(() => shop.events.length).toBeGreaterThan(before);
    expect(shop.events.at(-1)?.event).toBe('product_added');
  });

  it('works when Presage was away from the start, and connects when it comes', async () => {
    shop.isAway = true;
    const page = await open();
    await page.locator('#sees[data-status=away]').waitFor({ timeout });
    await page.getByRole('link', { name: 'Cairn Boot' }).click();
    shop.isAway = false;
    await isConnected(page);
    await until(() => shop.events.map(({ event, type }) => event ?? type)).toEqual([
      'page',
      'page',
      'product_viewed',
    ]);
  });

  for (const width of [1280, 390])
    it(`covers nothing and cuts nothing off at ${width} pixels, with two offers open`, async () => {
      const page = await open('#/p/AP-101');
      await page.setViewportSize({ width, height: 800 });
      await isConnected(page);
      await publish(page);
      await publish(
        page,
        drawerOffer({
          title: 'Goes well together',
          body: 'Others bought a matching piece with this one, and saved 5 %.',
          cta: 'Show me',
        }),
      );
      await page.locator('#banner .offer').waitFor({ timeout });
      await page.locator('#drawer .offer').waitFor({ timeout });
      const overflow = () => document.documentElement.scrollWidth - innerWidth;
      for (const strip of ['closed', 'open']) {
        if (strip === 'open') await page.locator('#sees summary').click();
        expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
        // What moves in comes to rest first.
        await until(() => overlapping(page, ['#drawer .offer', '#sees', '#banner .offer', 'header'])).toEqual(
          [],
        );
      }
      await page.goto(`${shop.url}/demo/#/`);
      await page.getByRole('heading', { name: 'Everything for outside' }).waitFor({ timeout });
      for (const card of await page.locator('.grid li').all()) {
        const [name, add] = await Promise.all([
          card.locator('.name').boundingBox(),
          card.locator('.add').boundingBox(),
        ]);
        expect(overlap(name!, add!)).toBe(false);
      }
    });
});

/** Pairs of these that cover one another. */
async function overlapping(page: Page, selectors: readonly string[]): Promise<string[]> {
  const boxes = await Promise.all(selectors.map((each) => page.locator(each).boundingBox()));
  return boxes.flatMap((box, index) =>
    boxes.slice(index + 1).flatMap((other, after) => {
      const pair = `${selectors[index]} and ${selectors[index + 1 + after]}`;
      return box === null || other === null || overlap(box, other) ? [pair] : [];
    }),
  );
}

describe('the one script tag', () => {
  it('shows offers by itself with data-render="auto"', async () => {
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${shop.url}/plain`);
    await page.evaluate(() => (window as unknown as { presage: { page(): void } }).presage.page());
    await until(
      async () =>
        (await shop.rig.registry().getSingleMetric('presage_push_sockets')?.get())?.values[0]?.value,
    ).toBe(1);
    await publish(page, {
      offer: { content: { title: 'Ships free', cta: 'Nice' }, expiresAt: shop.rig.clock.now() + 60_000 },
    });
    await page.getByRole('button', { name: 'Nice' }).click();
    await until(outcomes).toEqual(['accepted']);
    expect(problems).toEqual([]);
  });
});

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const overlap = (left: Box, right: Box): boolean =>
  left.x < right.x + right.width &&
  right.x < left.x + left.width &&
  left.y < right.y + right.height &&
  right.y < left.y + left.height;
