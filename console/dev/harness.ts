import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { launchBrowser } from '../../tests/support/browser.ts';
import { type FixtureServer, startFixtureServer } from './server.ts';

export interface Harness {
  readonly browser: Browser;
  readonly server: FixtureServer;
  close(): Promise<void>;
}

/** Where the browser tests leave their pictures, for people to look at. */
export const pictures = join(tmpdir(), 'presage-console');

/** The console built as it will be served, on a server with invented data, and a Chromium to look at it. */
export async function startHarness(chromium: string): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), 'presage-console-build-'));
  await build({
    configFile: join(dirname(import.meta.dirname), 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: folder },
  });
  const server = await startFixtureServer(folder);
  const browser = await launchBrowser(chromium);
  return {
    browser,
    server,
    close: async () => {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
