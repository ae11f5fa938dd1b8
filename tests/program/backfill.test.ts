import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildStatus } from '../../gateway/index.ts';
import {
  addedFeatures,
  feedLines,
  feedThrough,
  killWhen,
  linesWithVisitors,
  miscounted,
  parityOf,
  parityWorkspaces,
} from '../support/builds.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  type Running,
  startProgram,
  waitFor,
} from '../support/program.ts';

let home: Home;
let folder: string;
const { full, without } = await parityWorkspaces();
beforeEach(async () => {
  home = await makeHome();
  folder = join(home.folder, 'workspace');
  await mkdir(folder);
});
const started: Program[] = [];
const start = async (): Promise<Program> => {
  const program = await startProgram(home, folder);
  started.push(program);
  return program;
};
const starting = (): Running => {
  const arguments_ = ['--workspace', folder, '--data', home.data, '--port', String(home.port), '--no-open'];
  return presage(home, ['start', ...arguments_]);
};
afterEach(async () => {
  for (const program of started.splice(0)) await program.kill();
  await home.remove();
});

const here = () => ['--port', String(home.port)];
const feed = (name: string, lines: readonly string[], ...args: string[]) =>
  feedLines(home, name, lines, ...args);
const all = { dead: 0, rejected: 0 };

describe('presage apply', () => {
  it('gives new features their whole history while events come in, killed in each of its phases', async () => {
    const [first = [], second = [], third = []] = linesWithVisitors(9_000, [0.6, 0.85, 1]);
    await writeFile(join(folder, 'presage.yaml'), without);
    let program = await start();
    expect(JSON.parse((await feed('first.jsonl', first)).out)).toMatchObject(all);

    await writeFile(join(folder, 'presage.yaml'), full);
    const dry = await presage(home, ['apply', '--dry-run', '--json', ...here()]).finished;
    expect(JSON.parse(dry.out)).toEqual({
      begun: false,
      changes: {
        added: expect.arrayContaining(addedFeatures),
        removed: [],
        isOther: true,
        isStateSame: false,
      },
    });
    const feeding = feedThrough(home, 'second.jsonl', second, '--rate', '200');

    // While it reads the event table.
    const killed = killWhen(home, program, (line) => line.includes(':head@1"'));
    const applying = presage(home, ['apply', ...here()]);
    await killed;
    expect((await applying.finished).code).not.toBe(0);
    // Between the word to change over and the change.
    await killWhen(home, starting(), (line) => line.includes('presage apply'));
    // While the old state is deleted.
    await killWhen(home, starting(), (line) => /"scan" .*:state:\*"/i.test(line));

    program = await start();
    const applied = await presage(home, ['features', 'backfill', '--json', ...here()]).finished;
    expect([applied.code, applied.err]).toEqual([0, '']);
    expect(await program.ask<BuildStatus>('/api/builds')).toMatchObject({ build: null });
    expect(JSON.parse((await feeding).out)).toMatchObject(all);

    // While it catches up from the log.
    const rebuilding = presage(home, ['rebuild', ...here()]);
    await waitFor('the log to be read', async () => {
      const { build } = await program.ask<BuildStatus>('/api/builds');
      return build?.partitions.some(({ phase }) => phase === 'log');
    });
    await program.kill();
    await rebuilding.finished;
    program = await start();
    expect(await presage(home, ['rebuild', ...here()]).finished).toMatchObject({ code: 0 });
    expect(JSON.parse((await feed('third.jsonl', third)).out)).toMatchObject(all);

    const report = await parityOf(home);
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect(report.decisions.compared).toBeGreaterThan(100);
    expect(report.features.map(({ feature }) => feature)).toEqual(expect.arrayContaining(addedFeatures));
    // Every event asked once, whichever workspace was in force.
    expect(await miscounted(program)).toEqual({ missing: [], twice: [] });
    const redis = new Redis(join(home.data, 'redis', 'redis.sock'));
    expect(await redis.keys('*:state:*')).toEqual([]);
    redis.disconnect();
    expect((await program.stop()).code).toBe(0);
  }, 900_000);
});

describe('presage rebuild', () => {
  it('gives features that a restart added their history, and the program asks for it until then', async () => {
    const [first = [], second = []] = linesWithVisitors(3_000, [0.7, 1]);
    await writeFile(join(folder, 'presage.yaml'), without);
    let program = await start();
    await feed('first.jsonl', first);
    expect((await program.stop()).err).not.toContain('presage rebuild');
    await writeFile(join(folder, 'presage.yaml'), full);
    program = await start();
    await waitFor('the warning', () => program.output.err.includes('Run `presage rebuild`'));
    for (const name of addedFeatures) expect(program.output.err).toContain(name);
    for (const args of [[], ['--partition', '1']]) {
      const { code, out } = await presage(home, ['rebuild', '--json', ...args, ...here()]).finished;
      expect([code, JSON.parse(out)]).toMatchObject([0, { begun: true, last: { kind: 'rebuild' } }]);
    }
    await program.stop();
    program = await start();
    await feed('second.jsonl', second);
    const report = await parityOf(home);
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect(report.decisions.compared).toBeGreaterThan(100);
    expect(report.features.map(({ feature }) => feature)).toEqual(expect.arrayContaining(addedFeatures));
    expect((await program.stop()).err).not.toContain('presage rebuild');
  }, 900_000);

  it('lets a partition whose position the log has lost go on by itself', async () => {
    const [first = [], second = []] = linesWithVisitors(3_000, [0.7, 1]);
    await writeFile(join(folder, 'presage.yaml'), full);
    const program = await start();
    await feed('first.jsonl', first);
    const redis = new Redis(join(home.data, 'redis', 'redis.sock'));
    await redis.hset('{events.v1:2}:head', 'position', '1000000');
    redis.disconnect();
    const feeding = feed('second.jsonl', second);
    const why = await waitFor('the partition to stand still', async () => {
      const response = await fetch(`${program.address}/readyz`);
      const { message = '' } = (await response.json()) as { message?: string };
      return message.includes('presage rebuild') && message;
    });
    expect(why).toContain('partition 2');
    const { code, out } = await presage(home, ['rebuild', '--partition', '2', '--json', ...here()]).finished;
    expect([code, JSON.parse(out)]).toMatchObject([0, { begun: true, last: { kind: 'rebuild' } }]);
    await waitFor('the program to be ready again', async () => (await fetch(`${program.address}/readyz`)).ok);
    expect(JSON.parse((await feeding).out)).toMatchObject(all);
    // What came while it stood still is told of too.
    const sent = new Set([...first, ...second].map((line) => (JSON.parse(line) as { id: string }).id));
    const [stored] = await program.sql<{ ids: number }>('SELECT toInt32(uniqExact(id)) AS ids FROM events');
    expect(stored?.ids).toBe(sent.size);
    expect(await miscounted(program)).toEqual({ missing: [], twice: [] });
    const report = await parityOf(home);
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    await program.stop();
  });
});
