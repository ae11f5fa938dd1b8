import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Home, makeHome, presage, root, startProgram } from '../support/program.ts';

const travel = join(root, 'examples', 'travel');
const small = join(root, 'tests', 'workspaces', 'small');

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const feed = (file: string, ...args: string[]) =>
  presage(home, ['feed', file, '--port', String(home.port), '--data', home.data, '--json', ...args]).finished;
const totalsOf = (out: string) =>
  JSON.parse(out) as Record<
    'rows' | 'sent' | 'new' | 'duplicate' | 'dead' | 'rejected' | 'again' | 'late',
    number
  >;

describe('presage feed', () => {
  it('starts an instance where none runs, accounts for every row, and says so', async () => {
    const file = join(home.folder, 'events.jsonl');
    const lines = Array.from({ length: 50 }, (_, i) =>
      JSON.stringify({
        type: 'view',
        userId: `u${i % 7}`,
        time: 1_700_000_000_000 + i * 1_000,
        properties: { i },
      }),
    );
    await writeFile(
      file,
      [...lines, 'not json', JSON.stringify({ type: 'view', time: 1_700_000_000_000 })].join('\n'),
    );
    const first = await feed(file, '--workspace', small, '--tenant', 'acme');
    expect(first.err).toContain(`No Presage is running on port ${home.port}: starting one`);
    expect(first.err).toContain('row 51: row_unreadable');
    expect(first.err).toContain('row 52: not_an_event: expected a userId or an anonymousId');
    expect(totalsOf(first.out)).toMatchObject({
      rows: 52,
      sent: 52,
      new: 50,
      duplicate: 0,
      dead: 0,
      rejected: 2,
    });
    expect(first.code).toBe(0);

    // The same file again: every event is recognised by its content.
    const second = await feed(file, '--workspace', small, '--tenant', 'acme');
    expect(totalsOf(second.out)).toMatchObject({ sent: 52, new: 0, duplicate: 50, rejected: 2 });
    const counted = await presage(home, [
      'sql',
      'select count() from events',
      '--port',
      String(home.port),
      '--data',
      home.data,
      '--format',
      'TSV',
    ]).finished;
    expect(counted.out.trim()).toBe('50');
  });

  it('counts an id that stands in the file twice as one event and one repeat', async () => {
    const file = join(home.folder, 'twice.jsonl');
    const line = JSON.stringify({ id: 'same', type: 'view', userId: 'u1', time: 1_700_000_000_000 });
    await writeFile(file, `${line}\n${line}\n`);
    const { out, code } = await feed(file, '--workspace', small, '--tenant', 'acme');
    expect(totalsOf(out)).toMatchObject({ sent: 2, new: 1, duplicate: 1 });
    expect(code).toBe(0);
  });

  it('accounts for an id that is sent for two people, and for a repeat of what has moved', async () => {
    const file = join(home.folder, 'persons.jsonl');
    const time = 1_700_000_000_000;
    const seen = (at: number, who: object) => ({ id: 'same', type: 'view', time: time + at, ...who });
    const events = [
      seen(0, { userId: 'ann' }),
      seen(1, { userId: 'ben' }),
      seen(2, { userId: 'ben' }),
      { id: 'mine', type: 'view', time: time + 3, anonymousId: 'visitor' },
      { id: 'sign-in', type: 'identify', time: time + 4, anonymousId: 'visitor', userId: 'ann' },
      { id: 'away', type: 'identify', time: time + 5, anonymousId: 'visitor', userId: 'ben' },
      // Known to ann, not to ben.
      { id: 'mine', type: 'view', time: time + 6, anonymousId: 'visitor' },
    ];
    await writeFile(file, events.map((event) => JSON.stringify(event)).join('\n'));
    const { out, err, code } = await feed(file, '--workspace', small, '--tenant', 'acme');
    expect(totalsOf(out)).toMatchObject({ sent: 7, new: 4, duplicate: 3, dead: 0, again: 2 });
    expect(code, err).toBe(0);
  });

  it('reads standard input, gzipped, through a mapping module', async () => {
    const map = join(home.folder, 'map.mjs');
    await writeFile(
      map,
      'export default (row) => [1, 2].map((n) => ({ type: "seen", anonymousId: row.who, time: Number(row.at), properties: { n } }));\n',
    );
    const input = gzipSync('who,at\nann,1700000000000\nbob,1700000001000\nshort\n');
    const run = presage(
      home,
      [
        'feed',
        '-',
        '--map',
        map,
        '--port',
        String(home.port),
        '--data',
        home.data,
        '--workspace',
        small,
        '--tenant',
        'acme',
        '--json',
      ],
      { input },
    );
    const { out, err, code } = await run.finished;
    expect(totalsOf(out)).toMatchObject({ rows: 3, sent: 5, new: 4, rejected: 1 });
    expect(err).toContain('row 3: row_unreadable');
    expect(code).toBe(0);
  });

  it('ends with a code that says so when not one event could be used', async () => {
    const file = join(home.folder, 'useless.jsonl');
    await writeFile(file, '{"no":"event"}\n');
    const { err, code } = await feed(file, '--workspace', small, '--tenant', 'acme');
    expect(err).toContain('row 1: not_an_event');
    expect(code).toBe(2);
  });

  it('says what is wrong in one sentence, with an exit code for programs', async () => {
    const missing = await feed(join(home.folder, 'nowhere.csv'), '--workspace', travel);
    expect(missing.err).toMatch(/nowhere\.csv could not be read: ENOENT/);
    expect(missing.err).not.toMatch(/\n\s+at /);
    expect(missing.code).toBe(2);

    const program = await startProgram(home, travel);
    const mismatch = await feed('-', '--workspace', join(root, 'examples', 'shop'));
    expect(mismatch.err).toContain('runs workspace');
    expect(mismatch.code).toBe(3);
    await program.stop();
  });
});
