import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../tests/support/browser.ts';
import { type FixtureServer, startFixtureServer } from './server.ts';

const root = dirname(dirname(import.meta.dirname));

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
  // As `npm run build` does it: a test runner's NODE_ENV would build React's development version.
  await promisify(execFile)(
    join(root, 'node_modules', '.bin', 'vite'),
    ['build', join(root, 'console'), '--logLevel', 'warn', '--outDir', folder, '--emptyOutDir'],
    { cwd: root, env: { ...process.env, NODE_ENV: 'production' } },
  );
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
