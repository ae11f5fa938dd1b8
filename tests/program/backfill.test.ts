import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParityReport } from '../../app/parity/port.ts';
import type { BuildStatus } from '../../gateway/index.ts';
import { seededParityLog } from '../support/parity-log.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

let home: Home;
let folder: string;
let full: string;
beforeEach(async () => {
  home = await makeHome();
  folder = join(home.folder, 'workspace');
  await mkdir(folder);
  full = await readFile(join(root, 'tests', 'workspaces', 'parity', 'presage.yaml'), 'utf8');
});
afterEach(() => home.remove());

const added = ['spent_by_item', 'lowest_1h', 'recent', 'items_1h', 'session_clicks'];
const withoutThem = () =>
  full
    .split('\n')
    .filter((line) => !added.some((name) => line.startsWith(`  ${name}:`)))
    .join('\n');
const here = () => ['--port', String(home.port)];

/**
 * The seeded log, with every fourth person anonymous at first: half of them are identified in the first of the parts,
 * half in the second.
 */
function linesWithVisitors(events: number, parts: readonly number[]): string[][] {
  const { lines } = seededParityLog(events);
  const sent = lines.map((line) => JSON.parse(line) as { userId: string; id: string; time: number });
  const ends = parts.map((share) => Math.floor(share * sent.length));
  const identified = new Set<string>();
  const out: string[][] = ends.map(() => []);
  for (const [index, event] of sent.entries()) {
    const part = ends.findIndex((end) => index < end);
    const person = Number(event.userId.slice(1));
    const at = person % 8 === 0 ? 0.5 * (ends[0] ?? 0) : ((ends[0] ?? 0) + (ends[1] ?? 0)) / 2;
    const into = out[part < 0 ? out.length - 1 : part];
    if (person % 4 !== 0) into?.push(JSON.stringify(event));
    else if (index < at) {
      const { userId, ...rest } = event;
      into?.push(JSON.stringify({ ...rest, anonymousId: `v${userId}` }));
    } else {
      if (!identified.has(event.userId)) {
        identified.add(event.userId);
        const { userId, time } = event;
        into?.push(
          JSON.stringify({
            id: `i${userId}`,
            type: 'identify',
            userId,
            anonymousId: `v${userId}`,
            time,
            properties: {},
          }),
        );
      }
      into?.push(JSON.stringify(event));
    }
  }
  return out;
}

async function feed(name: string, lines: readonly string[], ...args: string[]) {
  const file = join(home.folder, name);
  await writeFile(file, lines.join('\n'));
  return presage(home, ['feed', file, '--order', 'file', '--json', ...here(), ...args]).finished;
}

async function parity(): Promise<ParityReport> {
  const { out, err } = await presage(home, ['features', 'parity', '--json', '--sample', '120', ...here()])
    .finished;
  if (out === '') throw new Error(err);
  return JSON.parse(out) as ParityReport;
}

/** Events in time that start a decision and have none. */
async function undecided(program: Program): Promise<number | undefined> {
  const [row] = await program.sql<{ missing: number }>(
    `SELECT toInt32(count()) AS missing FROM events WHERE type IN ('view', 'click')
     AND (tenant, id) NOT IN (SELECT tenant, event_id FROM decisions) AND late_ms = 0`,
  );
  return row?.missing;
}

describe('presage apply', () => {
  it('gives new features their whole history while events come in, and goes on after a kill', async () => {
    const [first = [], second = [], third = []] = linesWithVisitors(9_000, [0.6, 0.85, 1]);
    await writeFile(join(folder, 'presage.yaml'), withoutThem());
    let program = await startProgram(home, folder);
    expect(JSON.parse((await feed('first.jsonl', first)).out)).toMatchObject({ dead: 0, rejected: 0 });

    await writeFile(join(folder, 'presage.yaml'), full);
    const dry = await presage(home, ['apply', '--dry-run', '--json', ...here()]).finished;
    expect(JSON.parse(dry.out)).toEqual({
      begun: false,
      changes: { added: expect.arrayContaining(added), removed: [], isOther: true },
    });
    const feeding = feed('second.jsonl', second, '--rate', '600');
    const applying = presage(home, ['apply', ...here()]);
    await waitFor('some of it to be built', async () => {
      const { build } = await program.ask<BuildStatus>('/api/builds');
      return build?.partitions.some(({ position }) => position > 0);
    });
    await program.kill();
    applying.child.kill('SIGKILL');
    await applying.finished;
    program = await startProgram(home, folder);
    const applied = await presage(home, ['features', 'backfill', '--json', ...here()]).finished;
    expect([applied.code, applied.err]).toEqual([0, '']);
    expect(await program.ask<BuildStatus>('/api/builds')).toMatchObject({ build: null });
    expect(JSON.parse((await feeding).out)).toMatchObject({ dead: 0, rejected: 0 });
    expect(JSON.parse((await feed('third.jsonl', third)).out)).toMatchObject({ dead: 0, rejected: 0 });

    const report = await parity();
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect(report.decisions.compared).toBeGreaterThan(100);
    expect(report.features.map(({ feature }) => feature)).toEqual(expect.arrayContaining(added));
    // Every event asked once, whichever workspace was in force.
    expect(await undecided(program)).toBe(0);
    const finished = await program.stop();
    expect(finished.code).toBe(0);
  }, 300_000);
});

describe('presage rebuild', () => {
  it('makes the same state anew, from the events and the log', async () => {
    const [first = [], second = []] = linesWithVisitors(3_000, [0.7, 1]);
    await writeFile(join(folder, 'presage.yaml'), full);
    const program = await startProgram(home, folder);
    await feed('first.jsonl', first);
    for (const args of [[], ['--partition', '1']]) {
      const { code, out } = await presage(home, ['rebuild', '--json', ...args, ...here()]).finished;
      expect([code, JSON.parse(out)]).toMatchObject([0, { begun: true, last: { kind: 'rebuild' } }]);
    }
    await feed('second.jsonl', second);
    const report = await parity();
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect(report.decisions.compared).toBeGreaterThan(100);
    await program.stop();
  });

  it('lets a partition whose position the log has lost go on by itself', async () => {
    const [first = [], second = []] = linesWithVisitors(3_000, [0.7, 1]);
    await writeFile(join(folder, 'presage.yaml'), full);
    const program = await startProgram(home, folder);
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
    expect(JSON.parse((await feeding).out)).toMatchObject({ dead: 0, rejected: 0 });
    // What came while it stood still is told of too.
    const sent = new Set([...first, ...second].map((line) => (JSON.parse(line) as { id: string }).id));
    const [stored] = await program.sql<{ ids: number }>('SELECT toInt32(uniqExact(id)) AS ids FROM events');
    expect(stored?.ids).toBe(sent.size);
    expect(await undecided(program)).toBe(0);
    const report = await parity();
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    await program.stop();
  });
});
