import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  launchBrowser,
  layoutProblems,
  type OpenPage,
  openPage,
  screenshot,
} from '../tests/support/browser.ts';
import { decisionIds } from './dev/record.ts';
import type { Scenario } from './dev/scenarios.ts';
import { type FixtureServer, startFixtureServer } from './dev/server.ts';

const chromium = findChromium();
const pictures = join(tmpdir(), 'presage-console');
const subject = '/subjects/a:sim-7f3a91c2e0';

/** Every page and situation, and a text that tells that it is there. */
const views: readonly { name: string; scenario: Scenario; path: string; ready: string }[] = [
  { name: 'live', scenario: 'demo', path: '/', ready: '.stream-row' },
  { name: 'live-empty', scenario: 'empty', path: '/', ready: 'text=Nothing has come in yet' },
  { name: 'live-loading', scenario: 'loading', path: '/', ready: '.loading' },
  { name: 'live-error', scenario: 'error', path: '/', ready: 'text=The status could not be read' },
  { name: 'live-heavy', scenario: 'heavy', path: '/', ready: '.stream-row' },
  { name: 'live-stopped', scenario: 'stopped', path: '/', ready: '.banner-stopped' },
  { name: 'decisions', scenario: 'demo', path: '/decisions', ready: 'tbody tr' },
  {
    name: 'decisions-empty',
    scenario: 'empty',
    path: '/decisions',
    ready: 'text=Nothing has been decided yet',
  },
  {
    name: 'decisions-none',
    scenario: 'demo',
    path: '/decisions?action=no_such',
    ready: 'text=No decision fits',
  },
  { name: 'decisions-error', scenario: 'error', path: '/decisions', ready: 'text=could not be read' },
  { name: 'decisions-heavy', scenario: 'heavy', path: '/decisions', ready: 'tbody tr' },
  { name: 'decision', scenario: 'demo', path: `/decisions/${decisionIds.accepted}`, ready: '.step' },
  {
    name: 'decision-waiting',
    scenario: 'demo',
    path: `/decisions/${decisionIds.waiting}`,
    ready: '.step-waiting',
  },
  {
    name: 'decision-nothing',
    scenario: 'demo',
    path: `/decisions/${decisionIds.nothing}`,
    ready: '.step-never',
  },
  {
    name: 'decision-observed',
    scenario: 'demo',
    path: `/decisions/${decisionIds.observed}`,
    ready: '.step-never',
  },
  {
    name: 'decision-stopped',
    scenario: 'stopped',
    path: `/decisions/${decisionIds.stopped}`,
    ready: '.step-never',
  },
  {
    name: 'decision-unknown',
    scenario: 'demo',
    path: '/decisions/d_unknown',
    ready: 'text=No decision has this id',
  },
  { name: 'decision-heavy', scenario: 'heavy', path: `/decisions/${decisionIds.accepted}`, ready: '.step' },
  {
    name: 'subject',
    scenario: 'demo',
    path: `${subject}?tenant=shop`,
    ready: 'tbody tr, text=Nothing has been',
  },
  {
    name: 'subject-heavy',
    scenario: 'heavy',
    path: `/subjects/u:${'4f'.repeat(32)}?tenant=emea`,
    ready: '.bars',
  },
  { name: 'subject-unknown', scenario: 'demo', path: '/subjects/u:nobody', ready: 'text=Nothing is kept' },
  { name: 'signed-out', scenario: 'signed-out', path: '/', ready: 'text=npx presage link' },
  { name: 'unknown', scenario: 'demo', path: '/no/such/page', ready: 'text=No such page' },
];

describe.skipIf(chromium === null)('the console in Chromium', () => {
  let browser: Browser;
  let server: FixtureServer;
  const folder = mkdtempSync(join(tmpdir(), 'presage-console-build-'));

  beforeAll(async () => {
    await build({
      configFile: join(import.meta.dirname, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: folder },
    });
    server = await startFixtureServer(folder);
    browser = await launchBrowser(chromium!);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function visit<T>(
    scenario: Scenario,
    path: string,
    options: { width: number; theme?: 'light' | 'dark' },
    visitor: (page: Page, opened: OpenPage) => Promise<T>,
  ): Promise<T> {
    server.set(scenario);
    const opened = await openPage(browser, options);
    try {
      await opened.page.goto(server.url + path);
      const result = await visitor(opened.page, opened);
      expect(opened.complaints).toEqual([]);
      return result;
    } finally {
      await opened.close();
    }
  }

  for (const theme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      describe(`${width} px, ${theme}`, () => {
        it.each(views)(
          '$name: nothing is cut off, overlaps or bars the way',
          ({ name, scenario, path, ready }) =>
            visit(scenario, path, { width, theme }, async (page) => {
              await page.locator(ready).first().waitFor();
              await screenshot(page, join(pictures, `${name}-${width}-${theme}.png`));
              expect(await layoutProblems(page)).toEqual([]);
              expect(await accessibilityProblems(page)).toEqual([]);
            }),
        );
      });
    }
  }
});
