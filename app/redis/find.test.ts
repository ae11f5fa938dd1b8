import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FindRedisOptions, findRedis } from './find.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-find-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program on the PATH that says it is this version. */
async function binary(name: string, version: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho "Server v=${version} sha=0"\n`);
  await chmod(path, 0o755);
  return path;
}

const find = (changes: Partial<FindRedisOptions> = {}) =>
  findRedis({
    path: folder,
    platform: 'linux',
    isRoot: false,
    isUnattended: false,
    yes: false,
    ask: async () => {
      throw new Error('asked');
    },
    say: () => {},
    ...changes,
  });

describe('finding Redis', () => {
  it('takes redis-server, or valkey-server where that is the new enough one', async () => {
    const path = await binary('redis-server', '7.2.4');
    expect(await find()).toEqual({ path, version: '7.2.4' });
    await binary('redis-server', '6.0.16');
    const valkey = await binary('valkey-server', '8.0.1');
    expect(await find()).toEqual({ path: valkey, version: '8.0.1' });
  });

  it('says which one is too old', async () => {
    await binary('redis-server', '6.0.16');
    await expect(find()).rejects.toThrow(
      /needs Redis 7 or newer and found only .*redis-server 6\.0\.16: run "sudo apt-get/,
    );
  });

  it('names the one command for this system, and installs nothing as somebody who may not', async () => {
    await expect(find({ yes: true })).rejects.toThrow(
      'run "sudo apt-get install -y redis-server", or set REDIS_URL',
    );
    await expect(find({ platform: 'darwin', isUnattended: true })).rejects.toThrow(
      'run "brew install redis"',
    );
  });

  it('asks on a terminal before it installs, and takes no for an answer', async () => {
    await binary('apt-get', '0.0.0');
    const questions: string[] = [];
    const ask = async (question: string): Promise<boolean> => {
      questions.push(question);
      return false;
    };
    await expect(find({ isRoot: true, ask })).rejects.toMatchObject({ code: 'redis_missing' });
    expect(questions).toEqual([
      expect.stringContaining('Install it now with "apt-get install -y redis-server"?'),
    ]);
  });
});
