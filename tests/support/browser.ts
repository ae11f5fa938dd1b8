import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findLayoutProblems } from './layout.ts';

/** Where Debian puts Chromium, and where others look for it. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of an installed Chromium, or null. In CI its absence is an error: there no test may be skipped. */
export function findChromium(): string | null {
  const found = places.find((path) => existsSync(path)) ?? null;
  if (found !== null) return found;
  if (process.env.CI === 'true') throw new Error('No Chromium: install it with `apt-get install chromium`.');
  process.stderr.write(
    '\n*** SKIPPED: browser tests, since Chromium is not installed (Debian: chromium) ***\n\n',
  );
  return null;
}

/** A Chromium that talks to nobody but the pages it is sent to. Close it when done. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface PageOptions {
  /** Width of the window in CSS pixels; the height is 900, on a phone's 844. */
  readonly width: number;
  readonly theme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

/** What a page complained of while it was open: uncaught errors, console errors, requests to other hosts. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** A fresh browser profile with one page, in the time zone of Berlin. Loads nothing by itself. */
export async function openPage(browser: Browser, options: PageOptions): Promise<OpenPage> {
  const { width, theme = 'light', reducedMotion = 'reduce' } = options;
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: theme,
    reducedMotion,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    // A refused answer is part of some tests; the pages show it themselves.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1' && hostname !== 'localhost') {
      complaints.push(`request to another host: ${request.url()}`);
    }
  });
  return { page, complaints, close: () => context.close() };
}

/** What a reader would stumble over: sideways scrolling, cut-off or overlapping text. Empty when all is well. */
export const layoutProblems = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(`(${findLayoutProblems})()`);

let axeSource: Promise<string> | undefined;

/** axe-core's findings of impact serious or critical, a line each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  axeSource ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(await axeSource);
  return page.evaluate<string[]>(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' at ' + target.join(' ') + ': ' + failureSummary)))`);
}

/** Saves a PNG of the window, or of the whole page. Makes the folder where it is not there. */
export async function screenshot(page: Page, path: string, isWholePage = false): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await page.screenshot({ path, fullPage: isWholePage, animations: 'disabled' });
}
