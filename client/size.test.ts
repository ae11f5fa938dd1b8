import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buildClient } from '../scripts/build-client.mjs';

it('is under 5 KB gzipped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'presage-client-'));
  try {
    await buildClient(folder);
    const bytes = gzipSync(await readFile(join(folder, 'presage.js')), { level: 9 }).length;
    expect(bytes).toBeLessThan(5_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});
