import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { io } from 'socket.io-client';
import { expect, it } from 'vitest';
import type { RepartitionStatus } from '../../gateway/index.ts';
import {
  countsOf,
  outcomeOf,
  type PartitionsOutcome,
  partitionsLog,
  partitionsReference,
} from '../support/partitions.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

const folder = join(root, 'tests', 'workspaces', 'partitions');
const log = partitionsLog(4_500);
const here = (home: Home) => ['--port', String(home.port)];

function feed(home: Home, name: string, lines: readonly string[], ...args: string[]) {
  const file = join(home.folder, name);
  const running = writeFile(file, lines.join('\n')).then(() =>
    presage(home, ['feed', file, '--order', 'file', '--json', ...here(home), ...args]),
  );
  return {
    file,
    async finished(): Promise<Record<string, number>> {
      const { code, out, err } = await (await running).finished;
      if (code !== 0) throw new Error(`feed ended with ${code}: ${out}${err}`);
      return JSON.parse(out) as Record<string, number>;
    },
  };
}

const statusOf = (program: Program) => program.ask<RepartitionStatus>('/api/repartition');

const ask = async (program: Program, partitions: number): Promise<RepartitionStatus> =>
  program.ask<RepartitionStatus>('/api/repartition', { partitions });

async function done(program: Program, partitions: number): Promise<RepartitionStatus> {
  return waitFor(
    `${partitions} partitions`,
    async () => {
      const status = await statusOf(program);
      return status.running === null && status.partitions === partitions && status;
    },
    600_000,
  );
}

/** How much of the feed has been taken. */
async function taken(home: Home): Promise<number> {
  const [name] = (await readdir(join(home.data, 'feeds'))).filter((file) => file.endsWith('.json'));
  if (name === undefined) return 0;
  return (JSON.parse(await readFile(join(home.data, 'feeds', name), 'utf8')) as { sent: number }).sent;
}

async function undisturbed(): Promise<PartitionsOutcome> {
  const home = await makeHome();
  try {
    const program = await startProgram(home, folder);
    await feed(home, 'log.jsonl', log).finished();
    const outcome = await outcomeOf(program);
    await program.stop();
    return outcome;
  } finally {
    await home.remove();
  }
}

it('partitions become others under load and through kills, and nobody loses or gains anything', async () => {
  const calm = await undisturbed();
  const counted = countsOf(calm);
  for (const [subject, counts] of partitionsReference(log))
    expect([subject, counted.get(subject)]).toEqual([subject, counts]);
  expect(
    Object.values(calm.decisions).filter((decision) => decision.includes('"timer"')).length,
  ).toBeGreaterThan(20);
  const home = await makeHome();
  try {
    let program = await startProgram(home, folder);
    const feeding = feed(home, 'log.jsonl', log, '--rate', '400').finished();
    const reached = (share: number) =>
      waitFor('a part of the feed', async () => (await taken(home)) >= share * log.length, 300_000);
    await reached(0.15);
    // Killed while it copies: nothing of the old partitions has been touched.
    expect((await ask(program, 6)).running).toMatchObject({ from: 4, to: 6, phase: 'copying' });
    await program.kill();
    program = await startProgram(home, folder);
    await done(program, 6);
    await reached(0.4);
    // Killed while producers wait: before or after the one write that counts.
    await ask(program, 3);
    await waitFor(
      'the change-over',
      async () => (await statusOf(program)).running?.phase !== 'copying',
      600_000,
    );
    await program.kill();
    program = await startProgram(home, folder);
    await done(program, 3);
    await reached(0.65);
    const { key } = await program.ask<{ key: string }>('/api/keys', {
      tenant: 'acme',
      kind: 'public',
      name: 'page',
    });
    const auth = { key, anonymousId: 'onlooker' };
    const socket = io(program.address, {
      path: '/push',
      auth,
      transports: ['websocket'],
      reconnection: false,
    });
    let closed = 0;
    socket.on('disconnect', () => {
      closed += 1;
    });
    await waitFor('the socket', () => socket.connected);
    const { code, out, err } = await presage(home, [
      'repartition',
      '--partitions',
      '5',
      '--json',
      ...here(home),
    ]).finished;
    expect([code, err]).toEqual([0, '']);
    const { last } = JSON.parse(out) as RepartitionStatus;
    expect(last).toMatchObject({ from: 3, to: 5, topicLeft: null });
    console.info(`Producers waited ${last?.heldMs} ms while 3 partitions became 5 under load.`);
    expect(closed).toBe(0);
    socket.disconnect();
    const totals = await feeding;
    expect(totals).toMatchObject({ sent: log.length, dead: 0, rejected: 0 });
    expect(await outcomeOf(program)).toEqual(calm);
    // State made anew from the events of all the partitions that there were is the same.
    const rebuilt = await presage(home, ['rebuild', '--json', ...here(home)]).finished;
    expect([rebuilt.code, rebuilt.err]).toEqual([0, '']);
    expect(await outcomeOf(program)).toEqual(calm);
    const parity = await presage(home, ['features', 'parity', '--json', '--sample', '60', ...here(home)])
      .finished;
    expect(JSON.parse(parity.out)).toMatchObject({ ok: true, differences: [] });

    for (const [partitions, why] of [
      ['5', 'There are 5 partitions already'],
      ['0', 'a number from 1 to 256'],
    ] as const) {
      const refused = await presage(home, ['repartition', '--partitions', partitions, ...here(home)])
        .finished;
      expect(refused.code).not.toBe(0);
      expect(refused.err).toContain(why);
    }
    const redis = new Redis(join(home.data, 'redis', 'redis.sock'));
    const [readers = ''] = await redis.keys('{events.v*:0}:readers');
    const refusal = async (...args: string[]) => {
      const { code, err } = await presage(home, ['repartition', ...args, ...here(home)]).finished;
      return [code === 0, err];
    };
    expect(await refusal('--cancel')).toEqual([false, expect.stringContaining('not becoming others')]);
    expect(await refusal()).toEqual([false, expect.stringContaining('--partitions')]);
    const builds = await redis.hget(readers, 'builds');
    const plan = {
      kind: 'rebuild',
      from: 'events',
      workspace: '',
      before: '',
      partitions: [0],
      replaces: [],
    };
    const building = { last: 9, plan: { ...plan, generation: 9, startedAt: 0 } };
    await redis.hset(readers, 'builds', JSON.stringify(building));
    expect(await refusal('--partitions', '7')).toEqual([
      false,
      expect.stringContaining('State is being built'),
    ]);
    await redis.hset(readers, 'builds', builds ?? '');
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', used * 2);
    expect(await refusal('--partitions', '7')).toEqual([false, expect.stringContaining('raise maxmemory')]);
    await redis.config('SET', 'maxmemory', 2 ** 31);
    redis.disconnect();
    const { code: ended } = await program.stop();
    expect(ended).toBe(0);
  } finally {
    await home.remove();
  }
}, 900_000);
