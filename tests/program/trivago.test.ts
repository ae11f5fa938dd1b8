import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { referenceFeatures } from '../reference/trivago.ts';
import { type Home, makeHome, presage, root, startProgram } from '../support/program.ts';

const travel = join(root, 'examples', 'travel');
const trivago = join(root, '..', 'shared', 'data', 'trivago-100k', 'trivago_val_100k.csv.gz');
const hasTrivago = existsSync(trivago);
if (!hasTrivago) console.warn(`SKIPPED: the trivago log is not beside the checkout (${trivago}).`);

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const feed = (...args: string[]) =>
  presage(home, [
    'feed',
    trivago,
    '--port',
    String(home.port),
    '--data',
    home.data,
    '--workspace',
    travel,
    '--json',
    ...args,
  ]).finished;
type Totals = Record<'rows' | 'sent' | 'new' | 'duplicate' | 'dead' | 'rejected' | 'late', number>;

describe.skipIf(!hasTrivago)('the trivago log of 100,003 rows [real data]', () => {
  it('is accounted for to the last row, and features of all users equal a reference that shares no code with ours', async () => {
    const program = await startProgram(home, travel);
    const { out, err, code } = await feed();
    expect(err).not.toContain('rejected:');
    expect(JSON.parse(out) as Totals).toMatchObject({
      rows: 100_003,
      sent: 100_003,
      new: 100_003,
      duplicate: 0,
      dead: 0,
      rejected: 0,
    });
    expect(code).toBe(0);
    const counted = await presage(home, [
      'sql',
      'select count() from events',
      '--port',
      String(home.port),
      '--format',
      'TSV',
    ]).finished;
    expect(counted.out.trim()).toBe('100003');

    const reference = await referenceFeatures(trivago);
    expect(reference.size).toBeGreaterThan(1_000);
    const differences: string[] = [];
    for (const [user, { exact }] of reference) {
      const { features } = await program.ask<{ features: Record<string, unknown> }>(
        `/api/subjects/${encodeURIComponent(`u:${user}`)}/features?at=newest&tenant=travel`,
      );
      for (const [name, value] of Object.entries(exact)) {
        if (!isDeepStrictEqual(features[name], value))
          differences.push(
            `${user} ${name}: ${JSON.stringify(features[name])}, expected ${JSON.stringify(value)}`,
          );
      }
    }
    expect(differences.slice(0, 10)).toEqual([]);
    await program.stop();
  });

  it('in file order, which is by user, comes more than an hour late for over 97%', async () => {
    const totals = JSON.parse((await feed('--order', 'file')).out) as Totals;
    expect(totals.new).toBe(100_003);
    expect(totals.late / totals.new).toBeGreaterThan(0.97);
  });

  it('without a running instance is fed to one of its own, and sql reads what it left', async () => {
    const { err, code } = await feed();
    expect(err).toContain('starting one');
    expect(code).toBe(0);
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
    expect(counted.out.trim()).toBe('100003');
  });
});
