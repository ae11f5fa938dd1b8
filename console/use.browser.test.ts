import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  layoutProblems,
  type OpenPage,
  openPage,
  screenshot,
} from '../tests/support/browser.ts';
import { type Harness, pictures, startHarness } from './dev/harness.ts';
import { decisionIds } from './dev/record.ts';
import type { FixtureServer } from './dev/server.ts';

const chromium = findChromium();
const subject = '/subjects/a:sim-7f3a91c2e0';

describe.skipIf(chromium === null)('the console in use', () => {
  let harness: Harness;
  let server: FixtureServer;

  beforeAll(async () => {
    harness = await startHarness(chromium!);
    server = harness.server;
  });

  afterAll(() => harness?.close());

  let opened: OpenPage;
  let page: Page;

  beforeEach(async () => {
    server.set('demo');
    opened = await openPage(harness.browser, { width: 1280 });
    page = opened.page;
  });

  afterEach(async () => {
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  const goTo = (path: string) => page.goto(server.url + path);
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const kindsShown = () =>
    page
      .locator('.stream-kind')
      .evaluateAll((kinds) => [...new Set(kinds.map((kind) => kind.textContent))].sort());

  it('stops every action after a confirmation, says so on every page, and resumes', async () => {
    await goTo('/');
    await button('Stop actions').click();
    const dialog = page.getByRole('dialog', { name: 'Stop every action?' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.locator('.banner-stopped').count()).toBe(0);

    await button('Stop actions').click();
    expect(await layoutProblems(page)).toEqual([]);
    expect(await accessibilityProblems(page)).toEqual([]);
    await screenshot(page, join(pictures, 'stop-dialog-1280-light.png'));
    await dialog.getByLabel('Reason').fill('wrong price');
    await dialog.getByRole('button', { name: 'Stop actions' }).click();
    const banner = page.locator('.banner-stopped');
    await banner.waitFor();
    expect(await banner.textContent()).toContain('All actions are stopped for shop.');
    expect(await button('Stop actions').count()).toBe(0);
    for (const path of ['/decisions', `/decisions/${decisionIds.accepted}`, subject]) {
      await goTo(path);
      await banner.waitFor();
    }
    await banner.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume actions' }).click();
    await banner.waitFor({ state: 'detached' });
    await button('Stop actions').waitFor();
  });

  it('can be stopped while its status can not be read', async () => {
    server.set('error');
    await goTo('/');
    await page.getByText('The status could not be read').waitFor();
    await button('Stop actions').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop actions' }).click();
    await page.getByRole('dialog').getByText('ClickHouse does not answer').waitFor();
  });

  it('filters the stream by kind, in the address too', async () => {
    await goTo('/');
    await page.locator('.stream-row').first().waitFor();
    await button('Decisions').click();
    await page.waitForURL('**/?kinds=decision');
    await waitUntil(async () => expect(await kindsShown()).toEqual(['decision']));
    await button('Outcomes').click();
    await page.waitForURL('**/?kinds=decision,outcome');
    await page.reload();
    await page.locator('.stream-row').first().waitFor();
    expect(await button('Outcomes').getAttribute('aria-pressed')).toBe('true');
    await waitUntil(async () => expect(await kindsShown()).toEqual(['decision', 'outcome']));
    await button('All').click();
    await waitUntil(async () => expect((await kindsShown()).length).toBeGreaterThan(3));
  });

  it('holds the stream while paused, and counts what came', async () => {
    await goTo('/');
    await page.locator('.stream-row').first().waitFor();
    await button('Pause').click();
    const first = () => page.locator('.stream-row').first().textContent();
    const before = await first();
    await page.getByText(/^paused, \d+ newer$/).waitFor();
    expect(await first()).toBe(before);
    await button('Resume').click();
    await waitUntil(async () => expect(await first()).not.toBe(before));
  });

  it('never holds more than 200 rows', async () => {
    server.set('heavy');
    await goTo('/');
    const rows = page.locator('.stream-row');
    await waitUntil(async () => expect(await rows.count()).toBe(200));
    const before = await rows.first().textContent();
    await waitUntil(async () => expect(await rows.first().textContent()).not.toBe(before));
    expect(await rows.count()).toBe(200);
  });

  it('says when it has lost the gateway, shows of when its figures are, and comes back by itself', async () => {
    await goTo('/');
    await page.getByText('Connected', { exact: true }).waitFor();
    const events = await page.locator('.pairs-numbers dd').first().textContent();
    server.set('error');
    await page.getByText('Reconnecting…').waitFor();
    await page.getByText(/What is shown is from/).waitFor();
    expect(await page.locator('.pairs-numbers dd').first().textContent()).toBe(events);
    await screenshot(page, join(pictures, 'reconnecting-1280-light.png'));
    server.set('demo');
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.locator('.banner-away').waitFor({ state: 'detached' });
  });

  it('asks to sign in when the gateway no longer knows us, and goes on where we were', async () => {
    await goTo('/decisions');
    await page.locator('tbody tr').first().waitFor();
    server.set('signed-out');
    await page.getByRole('heading', { name: 'Sign in with a one-time link' }).waitFor();
    expect(await page.locator('.command code').textContent()).toBe(
      `npx presage link --port ${new URL(server.url).port}`,
    );
    server.set('demo');
    await button('Try again').click();
    await page.locator('tbody tr').first().waitFor();
    expect(new URL(page.url()).pathname).toBe('/decisions');
  });

  it('goes through the list page by page, back and forward', async () => {
    await goTo('/decisions');
    const first = () => page.locator('tbody tr').first().locator('.cell-action a').getAttribute('href');
    await page.locator('tbody tr').first().waitFor();
    const newest = await first();
    await button('Older').click();
    await page.waitForURL(/before=\d+/);
    await waitUntil(async () => expect(await first()).not.toBe(newest));
    await page.goBack();
    await waitUntil(async () => expect(await first()).toBe(newest));
    await page.goForward();
    await button('Newest').click();
    await waitUntil(async () => expect(await first()).toBe(newest));
    await page.getByLabel('action').fill('size_guide');
    await page.keyboard.press('Enter');
    await page.waitForURL(/action=size_guide/);
    await waitUntil(async () =>
      expect(
        await page
          .locator('.cell-action a')
          .evaluateAll((links) => [...new Set(links.map((link) => link.textContent))]),
      ).toEqual(['size_guide']),
    );
  });

  it('goes from a decision to its subject and back to one of theirs', async () => {
    await goTo(`/decisions/${decisionIds.accepted}`);
    await page.getByRole('link', { name: 'a:sim-7f3a91c2e0' }).click();
    await page.waitForURL(`**${subject}?tenant=shop`);
    await page.locator('.cell-action a').first().click();
    await page.getByRole('heading', { name: /^Chose|^Would have|^Nothing/ }).waitFor();
  });

  it('shows the raw record on demand', async () => {
    await goTo(`/decisions/${decisionIds.accepted}`);
    await button('Show JSON').click();
    const shown = await page.locator('.raw pre').textContent();
    expect(JSON.parse(shown ?? '')).toMatchObject({
      decision: { id: decisionIds.accepted },
      exposures: [{}],
    });
    await button('Hide JSON').click();
    expect(await page.locator('.raw pre').count()).toBe(0);
  });

  it('says times as they are here, with UTC in the title', async () => {
    await goTo(`/decisions/${decisionIds.accepted}`);
    const time = page.locator('.steps time').first();
    const [title, text] = [await time.getAttribute('title'), await time.textContent()];
    expect(title).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$/);
    const berlin = new Date(`${title?.slice(0, 23).replace(' ', 'T')}Z`).toLocaleTimeString('en-GB', {
      timeZone: 'Europe/Berlin',
    });
    expect(text?.slice(0, 8)).toBe(berlin);
  });

  it('keeps the chosen colours through a reload', async () => {
    await goTo('/');
    const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const light = await ground();
    await button(/^Colours/).click();
    await button(/^Colours: light/).click();
    await button(/^Colours: dark/).waitFor();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    expect(await ground()).toBe(dark);
  });

  it('can be used by keyboard: skip link first, focus always to be seen', async () => {
    await goTo('/decisions');
    await page.locator('tbody tr').first().waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    for (let stop = 0; stop < 12; stop++) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline).toBe('solid');
    }
  });

  it('tries a condition on past decisions and says how often it held', async () => {
    await goTo('/decisions');
    await page.getByLabel('Condition (CEL)').fill('cart_value > 50');
    await button('Try').last().click();
    await page.getByText('1 true, 1 false, 1 could not be told.').waitFor();
  });

  it('moves nothing for those who asked for no motion', async () => {
    server.set('loading');
    await goTo('/');
    await page.locator('.loading-line').first().waitFor();
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  });
});

/** Asks again until it holds; then says why it doesn't. */
const waitUntil = (holds: () => Promise<void>): Promise<void> =>
  vi.waitFor(holds, { timeout: 60_000, interval: 50 });
