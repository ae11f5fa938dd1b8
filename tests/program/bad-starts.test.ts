import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Home, makeHome, presage, root, startProgram } from '../support/program.ts';

const travel = join(root, 'examples', 'travel');
let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const start = (...args: string[]) =>
  presage(home, ['start', '--no-open', '--data', home.data, '--port', String(home.port), ...args]).finished;
const oneSentence = (text: string): string => {
  expect(text).not.toMatch(/\n\s+at /);
  return text.trim();
};

describe('a start that cannot work says why in one sentence', () => {
  it('when the port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(home.port, '127.0.0.1', resolve));
    const { err, code } = await start('--workspace', travel);
    server.close();
    expect(oneSentence(err)).toContain(`Port ${home.port}`);
    expect(code).not.toBe(0);
  });

  it('when another process works on the same data folder', async () => {
    const program = await startProgram(home, travel);
    const { err, code } = await presage(home, [
      'start',
      '--no-open',
      '--data',
      home.data,
      '--port',
      '0',
      '--workspace',
      travel,
    ]).finished;
    expect(oneSentence(err)).toMatch(/data folder .* (in use|used)/i);
    expect(code).not.toBe(0);
    await program.stop();
  });

  it('when Redis is missing and may not be installed', async () => {
    // A PATH without redis-server and without apt-get.
    home.env.PATH = join(home.folder, 'bin');
    await mkdir(join(home.folder, 'bin'));
    const { err, code } = await start('--workspace', travel);
    expect(oneSentence(err)).toMatch(/needs redis-server \(7 or newer\).*run "/s);
    expect(code).toBe(1);
  });

  it('when the workspace has a mistake: file, line, column, path and a suggestion', async () => {
    const folder = join(home.folder, 'workspace');
    await mkdir(folder);
    await writeFile(
      join(folder, 'presage.yaml'),
      'version: 1\nname: x\ntenants:\n  x: {}\nfeatures:\n  views: { kind: cout, of: view, window: 5m }\n',
    );
    const { err, code } = await start('--workspace', folder);
    expect(oneSentence(err)).toMatch(/presage\.yaml:6:\d+.*features\.views\.kind.*count/s);
    expect(code).toBe(2);
  });

  it('when there is no workspace', async () => {
    const { err, code } = await start('--workspace', home.folder);
    expect(oneSentence(err)).toContain('presage.yaml');
    expect(code).toBe(2);
  });
});
