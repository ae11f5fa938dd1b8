import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  launchBrowser,
  layoutProblems,
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
const timeout = 60_000;

describe.skipIf(chromium === null)('a review in the console', () => {
  let home: Home;
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    home = await makeHome();
    program = await startProgram(home, join(root, 'tests', 'workspaces', 'review'), ['--no-simulate']);
    browser = await launchBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await program?.stop();
    await home?.remove();
  });

  const run = async (...args: string[]): Promise<string> =>
    (await presage(home, [...args, '--port', String(home.port)]).finished).out.trim();

  it('goes from an event to a gated decision, an approval in the console, the offer at the socket and the label', async () => {
    const made = await run('keys', 'create', '--tenant', 'acme', '--public', '--json');
    const { key } = JSON.parse(made) as { key: string };
    const socket = io(program.address, {
      path: '/push',
      auth: { key, anonymousId: 'ann' },
      transports: ['websocket'],
    });
    const offers: { decision: string; content: Record<string, unknown> }[] = [];
    socket.on('offer', (offer, received?: () => void) => {
      offers.push(offer);
      received?.();
    });
    await waitFor('the socket to connect', () => socket.connected);
    const sent = await fetch(`${program.address}/v1/track`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ event: 'complaint', anonymousId: 'ann', properties: { topic: 'late' } }),
    });
    expect(sent.status).toBe(200);

    const { page, complaints, close } = await openPage(browser, { width: 1280 });
    await page.goto(await run('link'));
    await page.getByRole('link', { name: 'Reviews' }).click();
    await page.getByRole('link', { name: 'refund' }).first().click();
    await page.getByLabel('Your name').fill('Ann Osei');
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await screenshot(page, join(home.folder, 'images', `review-${width}.png`), true);
      expect(await layoutProblems(page)).toEqual([]);
      expect(await accessibilityProblems(page)).toEqual([]);
    }
    expect(offers).toEqual([]);

    // Somebody else looks at the same one, and is too late.
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.getByRole('button', { name: 'Reject' }).waitFor({ timeout });

    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByText('in the log', { exact: true }).waitFor({ timeout });
    const offer = await waitFor('the offer', () => offers[0]);
    expect(offer.content).toMatchObject({ title: 'Your money back' });
    expect(page.url()).toContain(offer.decision);
    const [label] = await waitFor('the label in ClickHouse', async () => {
      const rows = await program.sql<Record<string, unknown>>(
        `select verdict, reviewer, reviewed_by from reviews where decision = '${offer.decision}'`,
      );
      return rows.length === 1 ? rows : null;
    });
    expect(label).toEqual({
      verdict: 'approved',
      reviewer: 'Ann Osei',
      reviewed_by: 'operator by cookie',
    });
    // The second page has heard of it by itself.
    await second.getByText('Ann Osei (operator by cookie)').waitFor({ timeout });
    expect(await second.getByRole('button', { name: 'Reject' }).count()).toBe(0);
    expect(offers).toHaveLength(1);
    expect(complaints).toEqual([]);
    socket.close();
    await close();
  });
});
