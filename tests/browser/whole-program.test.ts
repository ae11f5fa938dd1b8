import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  launchBrowser,
  layoutProblems,
  type OpenPage,
  openPage,
  screenshot,
} from '../support/browser.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

const chromium = findChromium();
/** PRESAGE_IMAGES=1 renews the pictures of the documentation; otherwise they go where the home folder goes. */
const imagesOf = (home: Home): string =>
  process.env.PRESAGE_IMAGES === '1' ? join(root, 'docs', 'images') : join(home.folder, 'images');
const timeout = 60_000;

describe.skipIf(chromium === null)('the whole program in a browser', () => {
  let home: Home;
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    home = await makeHome();
    program = await startProgram(home, join(root, 'examples', 'shop'));
    browser = await launchBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await program?.stop();
    await home?.remove();
  });

  const link = async (): Promise<string> => {
    const { out } = await presage(home, ['link', '--port', String(home.port)]).finished;
    return out.trim();
  };
  const offersIn = (page: Page) => page.locator('#banner .offer, #drawer .offer');

  async function lookAround(page: Page): Promise<void> {
    for (const name of ['Larch Trail Shoe', 'Larch Trail Shoe', 'Larch Trail Shoe', 'Larch Trail Shoe']) {
      await page.goto(`${program.address}/demo/#/`);
      await page.getByRole('link', { name }).first().click();
      if ((await offersIn(page).count()) > 0) return;
    }
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByRole('link', { name: /^Cart/ }).click();
  }

  it("brings an offer by the visitor's own clicks, once in two tabs", async () => {
    const { page, complaints, close } = await openPage(browser, { width: 1280 });
    await page.goto(`${program.address}/demo/`);
    await page.locator('#sees[data-status=connected]').waitFor({ timeout });
    const second = await page.context().newPage();
    await second.goto(`${program.address}/demo/`);
    await second.locator('#sees[data-status=connected]').waitFor({ timeout });

    await lookAround(page);
    const visitor = await page.evaluate<string>("localStorage.getItem('presage.anon')");
    // Every offer that is to be seen was acknowledged once, and every one that was acknowledged is to be seen.
    await waitFor('as many exposures as offers', async () => {
      const visible = (await offersIn(page).count()) + (await offersIn(second).count());
      const rows = await program.sql(`select decision from exposures where subject = 'a:${visitor}'`);
      return visible > 0 && rows.length === visible;
    });
    expect(complaints).toEqual([]);
    await close();
  });

  async function signedIn(width: number, theme: 'light' | 'dark'): Promise<OpenPage> {
    const opened = await openPage(browser, { width, theme });
    await opened.page.goto(await link());
    await opened.page.locator('.stream-row').first().waitFor({ timeout });
    return opened;
  }

  it('shows the live stream, a decision with its why and why not, and a subject, at every width and theme', async () => {
    const images = imagesOf(home);
    for (const [width, theme] of [
      [1280, 'light'],
      [1280, 'dark'],
      [390, 'light'],
      [390, 'dark'],
    ] as const) {
      const { page, complaints, close } = await signedIn(width, theme);
      const check = async (name: string): Promise<void> => {
        expect(await layoutProblems(page), `${name} at ${width} ${theme}`).toEqual([]);
        expect(await accessibilityProblems(page), `${name} at ${width} ${theme}`).toEqual([]);
        await screenshot(page, join(images, `${name}-${width}-${theme}.png`));
      };
      await check('console-live');
      await page.goto(`${program.address}/decisions`);
      await page.locator('tbody tr').first().waitFor({ timeout });
      await check('console-decisions');
      const [decision] = await waitFor('a decision that was answered', async () => {
        const rows = await program.sql<{ id: string; subject: string }>(
          'select d.id as id, d.subject as subject from decisions d join outcomes o on o.decision = d.id limit 1',
        );
        return rows.length > 0 ? rows : null;
      });
      await page.goto(`${program.address}/decisions/${decision?.id}`);
      await page.locator('.step').first().waitFor({ timeout });
      await check('console-decision');
      await page.goto(`${program.address}/subjects/${encodeURIComponent(decision?.subject ?? '')}`);
      await page.locator('.loading').first().waitFor({ state: 'detached', timeout });
      await check('console-subject');
      expect(complaints).toEqual([]);
      await close();
    }
  });

  it('shows the demo shop with an offer, at both widths', async () => {
    for (const width of [1280, 390]) {
      const { page, complaints, close } = await openPage(browser, { width });
      await page.goto(`${program.address}/demo/`);
      await page.locator('#sees[data-status=connected]').waitFor({ timeout });
      await lookAround(page);
      await offersIn(page).first().waitFor({ timeout });
      expect(await layoutProblems(page)).toEqual([]);
      await screenshot(page, join(imagesOf(home), `demo-shop-${width}.png`));
      expect(complaints).toEqual([]);
      await close();
    }
  });

  it('stops every action from the console, and lets them go on', async () => {
    const { page, close } = await signedIn(1280, 'light');
    await page.getByRole('button', { name: /stop/i }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: /stop/i }).click();
    await page.locator('.banner-stopped').waitFor({ timeout });
    await waitFor('the switch', async () =>
      (await program.ask<{ tenants: { stopped: boolean }[] }>('/api/status')).tenants.every(
        (tenant) => tenant.stopped,
      ),
    );
    await page
      .getByRole('button', { name: /resume/i })
      .first()
      .click();
    const confirm = page.getByRole('dialog').getByRole('button', { name: /resume/i });
    if ((await confirm.count()) > 0) await confirm.click();
    await page.locator('.banner-stopped').waitFor({ state: 'detached', timeout });
    await close();
  });

  it('tells a stranger how to sign in, and nothing else', async () => {
    const { page, close } = await openPage(browser, { width: 390 });
    await page.goto(program.address);
    await page.getByText('presage link').first().waitFor({ timeout });
    expect(await layoutProblems(page)).toEqual([]);
    await screenshot(page, join(imagesOf(home), 'console-signed-out-390.png'));
    await close();
  });
});
