import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processIdentity } from '../../app/process/identity.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

const small = join(root, 'tests', 'workspaces', 'small');
let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const createKey = async (): Promise<string> => {
  const { out } = await presage(home, [
    'keys',
    'create',
    '--tenant',
    'acme',
    '--port',
    String(home.port),
    '--json',
  ]).finished;
  return (JSON.parse(out) as { key: string }).key;
};

async function track(program: Program, key: string, messageId: string): Promise<void> {
  const response = await fetch(`${program.address}/v1/track`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ messageId, userId: 'ann', event: 'view', properties: { price: 2 } }),
  });
  expect(response.status).toBe(200);
}

const spent = async (program: Program): Promise<unknown> =>
  (await program.ask<{ features: { spent: number } }>('/api/subjects/u:ann/features?at=newest&tenant=acme'))
    .features.spent;

describe('stopping and starting again', () => {
  it('stops cleanly on Ctrl-C and goes on with all data, keys and features', async () => {
    const first = await startProgram(home, small);
    const key = await createKey();
    for (const id of ['m1', 'm2', 'm3']) await track(first, key, id);
    await waitFor('the features', async () => (await spent(first)) === 6);
    const redis = JSON.parse(await readFile(join(home.data, 'redis', 'server.json'), 'utf8')) as {
      server: { pid: number };
    };
    const ended = await first.stop();
    expect(ended.code).toBe(0);
    expect(ended.err).toContain('Stopped; all data is kept.');
    expect(await processIdentity(redis.server.pid)).toBeNull();

    const second = await startProgram(home, small);
    expect(await spent(second)).toBe(6);
    // A repeat from before the stop is still a repeat; a new event with the old key is new.
    await track(second, key, 'm3');
    await track(second, key, 'm4');
    await waitFor('the new event', async () => (await spent(second)) === 8);
    await waitFor('four events, one repeat', async () => {
      const [row] = await second.sql<{ events: string; repeats: string }>(
        'select (select count() from events) as events, (select count() from duplicates) as repeats',
      );
      return Number(row?.events) === 4 && Number(row?.repeats) === 1;
    });
    expect((await second.stop()).code).toBe(0);
  });
});
