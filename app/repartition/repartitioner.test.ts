import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { redisConnector } from '../../stream/redis/index.ts';
import { root, waitFor } from '../../tests/support/program.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { systemClock } from '../clock.ts';
import { readEnvironment } from '../environment.ts';
import { type Divisions, openDivisions } from '../start/divisions.ts';
import { makeRepartitioner, type Repartitioner, type RepartitionerParts } from './repartitioner.ts';

let server: TestRedis;
let redis: Redis;
let divisions: Divisions;
let repartitioner: Repartitioner;
/** What was done around the change-over, in order. */
let done: string[];
/** As the data folder keeps it. */
let noted: string | null;
const workspace = await loadWorkspace(`${root}/tests/workspaces/small`);
const logger = silentLogger();

beforeEach(async () => {
  server = await startTestRedis({ fsync: 'everysec' });
  redis = new Redis(server.url.replace(/^unix:\/\//, ''));
  done = [];
  noted = null;
  divisions = await open();
});
afterEach(async () => {
  await repartitioner?.role.stop();
  await divisions.close();
  redis.disconnect();
  await server.stop();
});

const open = (): Promise<Divisions> =>
  openDivisions({
    environment: readEnvironment({}),
    workspace,
    connector: redisConnector(server.url),
    shared: redis,
    folder: {
      versions: async () => noted,
      saveVersions: async (text) => {
        noted = text;
      },
    },
    clock: systemClock,
    registry: new Registry(),
    logger,
  });

async function begin(given: Partial<RepartitionerParts> = {}): Promise<void> {
  const note = (what: string) => async () => void done.push(what);
  repartitioner = makeRepartitioner({
    divisions,
    clock: systemClock,
    logger,
    objection: async () => null,
    shared: () => ({ groups: [], tenants: ['acme'] }),
    topicOf: () => null,
    times: { retryMs: 10, drainWithinMs: 50, nearWithinMs: 50 },
    surroundings: {
      gate: {
        close: async () => {
          done.push('close');
          return true;
        },
        open: () => void done.push('open'),
      },
      pauseSources: note('pause sources'),
      resumeSources: note('resume sources'),
      pauseFollowers: note('pause'),
      resumeFollowers: note('resume'),
      changed: note('changed'),
    },
    ...given,
  });
  await repartitioner.role.start();
}

const isDone = (partitions: number) =>
  waitFor('the partitions', async () => {
    const status = await repartitioner.status();
    return status.running === null && status.partitions === partitions && status;
  });

const nothing = async (): Promise<void> => {};
const quietly = {
  pauseSources: nothing,
  resumeSources: nothing,
  pauseFollowers: nothing,
  resumeFollowers: nothing,
  changed: nothing,
};

const record = { partition: 0, key: 'k', value: Buffer.from('{}') };
const whole = ['pause sources', 'close', 'pause', 'changed', 'resume', 'open', 'resume sources'];

describe('changing the number of partitions', () => {
  it('holds everyone around the one write that counts, and begins everyone again', async () => {
    await redis.set('{events.v1:0}:state:acme:u:ann', 'blob');
    await begin();
    expect((await repartitioner.begin({ partitions: 7 })).running).toMatchObject({ from: 4, to: 7 });
    expect((await isDone(7)).last).toMatchObject({ from: 4, to: 7, topicLeft: null });
    expect(done).toEqual(whole);
    expect(divisions.current().log.partitions).toBe(7);
    expect(await redis.keys('{events.v1:*')).toEqual([]);
    expect(await redis.keys('{events.v2:*:state:*')).toHaveLength(1);
    // A start without all that finds it, and so does one whose Redis has lost it.
    const again = await open();
    expect(again.current().version).toMatchObject({ version: 2, partitions: 7 });
    await again.close();
    await redis.flushall();
    const restored = await open();
    expect(restored.current().version).toMatchObject({ version: 2, partitions: 7 });
    await restored.close();
  });

  it('lets producers go on, and tries again, while something is behind', async () => {
    await divisions.current().log.append([record]);
    await begin();
    await repartitioner.begin({ partitions: 2 });
    const trouble = await waitFor('trouble', async () => (await repartitioner.status()).running?.trouble);
    expect(trouble).toMatch(/could not be held back yet: the (worker|sink) is at 0 of 1 in partition 0/);
    await waitFor('two tries', () => done.filter((what) => what === 'open').length > 1);
    expect(done).not.toContain('pause');
    expect(divisions.current().log.partitions).toBe(4);
    await redis.hset('{events.v1:0}:head', 'position', '1');
    await redis.hset('{events.v1:0}:readers', 'sink', '{"outbox":0,"log":1}');
    await isDone(2);
    expect((await divisions.current().log.append([{ ...record, partition: 1 }]))[0]).toBe(4);
  });

  it('does not count a write that was given up, and does count one whose answer was lost', async () => {
    let isMade = false;
    let failures = 0;
    const shaky: Divisions = {
      ...divisions,
      async save(next) {
        const isFlip = next.all.length > divisions.kept().all.length;
        if (!isFlip || failures === 2) return divisions.save(next);
        failures += 1;
        isMade = failures === 2;
        if (isMade) await divisions.save(next);
        throw new PresageError('state_unavailable', 'No answer.', { retriable: true });
      },
    };
    await begin({ divisions: shaky });
    await repartitioner.begin({ partitions: 3 });
    await isDone(3);
    expect(failures).toBe(2);
    expect(done.filter((what) => what === 'changed')).toHaveLength(1);
    expect(done.filter((what) => what === 'open')).toHaveLength(2);
  });

  it('goes on with the next start, wherever it was ended', async () => {
    await divisions.current().log.append([record]);
    await begin();
    await repartitioner.begin({ partitions: 2 });
    await waitFor('a try', () => done.includes('open'));
    await repartitioner.role.stop();
    await divisions.close();
    await redis.hset('{events.v1:0}:head', 'position', '1');
    await redis.hset('{events.v1:0}:readers', 'sink', '{"outbox":0,"log":1}');
    divisions = await open();
    await begin();
    expect(repartitioner.isUnderWay()).toBe(true);
    await isDone(2);
  });

  it('leaves everything as it was when it is cancelled, through an end in the middle too', async () => {
    const before = ['{events.v1:0}:state:acme:u:ann', '{events.v1:1}:state:acme:u:bob'];
    for (const key of before) await redis.set(key, 'blob');
    let isHeld = true;
    const stay = { gate: { close: async () => !isHeld, open: () => {} } };
    const surroundings = { ...quietly, ...stay };
    await begin({ surroundings });
    await expect(repartitioner.cancel()).rejects.toMatchObject({ code: 'usage' });
    await repartitioner.begin({ partitions: 6 });
    await waitFor('copies', async () => (await redis.keys('{events.v2:*:state:*')).length === 2);
    // Between two tries to hold producers back.
    await waitFor('the cancelling', async () => (await repartitioner.cancel()).running?.phase !== 'copying');
    await repartitioner.role.stop();
    await begin({ surroundings });
    await isDone(4);
    expect((await redis.keys('{events.v*')).sort()).toEqual(before);
    expect(repartitioner.isUnderWay()).toBe(false);

    isHeld = false;
    // The log of version 2 was made for six.
    await repartitioner.begin({ partitions: 7 });
    await isDone(7);
    expect(divisions.current().version).toMatchObject({ version: 3, partitions: 7 });
    await expect(repartitioner.cancel()).rejects.toMatchObject({ code: 'usage' });
  });

  it('refuses what makes no sense, and says why', async () => {
    await divisions.current().log.append([record]);
    await begin();
    for (const [partitions, why] of [
      [4, /There are 4 partitions already/],
      [0, /a number from 1 to 256/],
      [257, /a number from 1 to 256/],
    ] as const)
      await expect(repartitioner.begin({ partitions })).rejects.toThrow(why);
    await begin({ objection: async () => new PresageError('build_running', 'State is being built.') });
    await expect(repartitioner.begin({ partitions: 5 })).rejects.toMatchObject({ code: 'build_running' });
    await begin();
    expect((await repartitioner.status()).running).toBeNull();
    await repartitioner.begin({ partitions: 5 });
    await expect(repartitioner.begin({ partitions: 6 })).rejects.toMatchObject({
      code: 'repartition_running',
    });
    expect((await repartitioner.begin({ partitions: 5 })).running).toMatchObject({ to: 5 });
  });
});
