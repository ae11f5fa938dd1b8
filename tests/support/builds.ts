import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ParityReport } from '../../app/parity/port.ts';
import { seededParityLog } from './parity-log.ts';
import { type Finished, type Home, type Program, presage, type Running, root } from './program.ts';

/** Features that the workspace has not got at first. */
export const addedFeatures = [
  'spent_by_item',
  'lowest_1h',
  'recent',
  'items_1h',
  'session_clicks',
  'session_seconds',
];

/** The parity workspace's text, and the same without those features. */
export async function parityWorkspaces(): Promise<{ full: string; without: string }> {
  const full = await readFile(join(root, 'tests', 'workspaces', 'parity', 'presage.yaml'), 'utf8');
  const without = full
    .split('\n')
    .filter((line) => !addedFeatures.some((name) => line.startsWith(`  ${name}:`)))
    .join('\n');
  return { full, without };
}

/**
 * The seeded log, with every fourth person anonymous at first: half of them are identified in the first of the parts,
 * half in the second.
 */
export function linesWithVisitors(events: number, parts: readonly number[]): string[][] {
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

const here = (home: Home): string[] => ['--port', String(home.port)];

export async function feedLines(
  home: Home,
  name: string,
  lines: readonly string[],
  ...args: string[]
): Promise<Finished> {
  const file = join(home.folder, name);
  await writeFile(file, lines.join('\n'));
  return presage(home, ['feed', file, '--order', 'file', '--json', ...here(home), ...args]).finished;
}

/** The same through kills: what had been sent is known when it is sent again. */
export async function feedThrough(
  home: Home,
  name: string,
  lines: readonly string[],
  ...args: string[]
): Promise<Finished> {
  for (let tries = 0; ; tries++) {
    const fed = await feedLines(home, name, lines, ...args);
    if (fed.out !== '' || tries === 50) return fed;
    await setTimeout(200);
  }
}

/** What sampled decisions were served, against SQL over the events. */
export async function parityOf(home: Home): Promise<ParityReport> {
  const args = ['features', 'parity', '--json', '--sample', '120', ...here(home)];
  const { out, err } = await presage(home, args).finished;
  if (out === '') throw new Error(err);
  return JSON.parse(out) as ParityReport;
}

/** Events in time that start a decision and have none; and those that have two of one trigger and subject. */
export async function miscounted(program: Program): Promise<{ missing: unknown[]; twice: unknown[] }> {
  const [missing, twice] = await Promise.all([
    program.sql(
      `SELECT id, subject, type, partition, toInt32(position) AS position FROM events
       WHERE type IN ('view', 'click') AND late_ms = 0
       AND (tenant, id) NOT IN (SELECT tenant, event_id FROM decisions) LIMIT 10`,
    ),
    program.sql(
      `SELECT event_id, trigger, groupArray((id, subject, partition, toInt32(position), received)) AS decided
       FROM decisions WHERE event_id != '' GROUP BY tenant, subject, event_id, trigger HAVING count() > 1 LIMIT 10`,
    ),
  ]);
  return { missing, twice };
}

/**
 * SIGKILL for a program as soon as its Redis is told something of this kind; a line is a command as MONITOR shows it. It
 * may be called before Redis is there.
 */
export async function killWhen(home: Home, program: Running, isIt: (line: string) => boolean): Promise<void> {
  let isOver = false;
  const over = program.finished.then((finished) => {
    isOver = true;
    return finished;
  });
  let isKilled = false;
  while (!isOver) {
    await new Promise<void>((resolve) => {
      const socket = connect(join(home.data, 'redis', 'redis.sock'));
      let text = '';
      socket.on('connect', () => socket.write('MONITOR\r\n'));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      void over.then(() => socket.destroy());
      socket.on('data', (chunk: Buffer) => {
        const lines = `${text}${chunk.toString('latin1')}`.split('\r\n');
        text = lines.pop() ?? '';
        if (isKilled || !lines.some(isIt)) return;
        isKilled = true;
        program.child.kill('SIGKILL');
      });
    });
    if (!isOver) await setTimeout(10);
  }
  if (!isKilled) throw new Error(`The program ended by itself: ${JSON.stringify(await over)}`);
}
