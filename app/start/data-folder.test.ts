import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from './data-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'presage-folder-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('the data folder', () => {
  it('is made for its owner only, and keeps its secrets so', async () => {
    const folder = await openDataFolder(join(parent, 'data'));
    const secrets = await folder.secrets();
    await folder.saveSecrets(secrets);
    expect(await folder.secrets()).toEqual(secrets);
    expect((await stat(folder.path)).mode & 0o077).toBe(0);
    expect((await stat(join(folder.path, 'secrets.json'))).mode & 0o077).toBe(0);
  });

  it('is refused in a sentence where the disk is full', async () => {
    await expect(openDataFolder(join(parent, 'data'), async () => 7 * 1024 * 1024)).rejects.toMatchObject({
      code: 'no_disk_space',
      message: expect.stringMatching(
        /^Only 7 MB are free at .*data; Presage needs at least 256 MB: free some, or choose another folder with --data\.$/,
      ),
    });
  });

  it('is refused in a sentence where a file stands in its way, or its secrets are damaged', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(openDataFolder(join(parent, 'file'))).rejects.toMatchObject({
      code: 'data_folder_unusable',
    });
    const folder = await openDataFolder(join(parent, 'data'));
    await writeFile(join(folder.path, 'secrets.json'), '{"secret":');
    await expect(folder.secrets()).rejects.toThrow(/secrets\.json is damaged: restore it/);
  });
});
