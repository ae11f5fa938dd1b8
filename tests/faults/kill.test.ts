import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../schemas/index.ts';
import { type Home, makeHome, type Program, presage, startProgram, waitFor } from '../support/program.ts';
import { seededTrivagoLog } from '../support/trivago.ts';
import { patientExample } from '../support/workspace.ts';

const rows = 12_000;
const kills = 5;
/** Slow enough that five kills fall into the feed, fast enough for CI. */
const rate = 1_500;

interface Outcome {
  readonly totals: Record<string, number>;
  readonly eventIds: string;
  /** Content of every decision: all but timings, wall clock, log coordinates and commit sequence. */
  readonly decisions: Map<string, string>;
  readonly features: Map<string, string>;
  readonly rowsOf: Record<string, number>;
}

async function feedWith(
  disturb: (parts: {
    home: Home;
    workspace: string;
    program: Program;
    reached: (share: number) => Promise<void>;
  }) => Promise<Program>,
): Promise<Outcome> {
  const home = await makeHome();
  try {
    const workspace = await patientExample(home, 'travel');
    const file = join(home.folder, 'log.csv');
    await writeFile(file, seededTrivagoLog(rows));
    let program = await startProgram(home, workspace);
    const feed = presage(home, ['feed', file, '--port', String(home.port), '--rate', String(rate), '--json']);
    const reached = async (share: number): Promise<void> => {
      await waitFor(
        `${share * 100}% of the feed to be taken`,
        async () => {
          const [name] = await readdir(join(home.data, 'feeds'));
          if (name === undefined) return false;
          const { sent } = JSON.parse(await readFile(join(home.data, 'feeds', name), 'utf8')) as {
            sent: number;
          };
          return sent >= rows * share;
        },
        120_000,
      );
    };
    program = await disturb({ home, workspace, program, reached });
    const { code, out, err } = await feed.finished;
    if (code !== 0) throw new Error(`feed ended with ${code}: ${out}${err}\n${program.output.err}`);
    const outcome = await outcomeOf(program, JSON.parse(out) as Record<string, number>);
    await program.stop();
    return outcome;
  } finally {
    await home.remove();
  }
}

async function outcomeOf(program: Program, totals: Record<string, number>): Promise<Outcome> {
  const [events] = await program.sql<{ ids: string; n: string }>(
    'select count() as n, hex(groupBitXor(cityHash64(id, subject, type, toString(time), properties))) as ids from events',
  );
  const decisions = await program.sql<{ id: string; record: string }>('select id, record from decisions');
  const subjects = await program.sql<{ subject: string }>(
    'select distinct subject from events order by subject',
  );
  const features = new Map<string, string>();
  for (const { subject } of subjects) {
    const answer = await program.ask<{ features: unknown }>(
      `/api/subjects/${encodeURIComponent(subject)}/features?at=newest&tenant=travel`,
    );
    features.set(subject, JSON.stringify(answer.features));
  }
  const { late: _late, seconds: _seconds, ...counts } = totals;
  return {
    totals: counts,
    eventIds: `${events?.n} ${events?.ids}`,
    decisions: new Map(
      decisions.map(({ id, record }) => [id, contentOf(JSON.parse(record) as DecisionRecord)]),
    ),
    features,
    rowsOf: { decisions: decisions.length },
  };
}

async function redisOf(home: Home): Promise<number> {
  const record = JSON.parse(await readFile(join(home.data, 'redis', 'server.json'), 'utf8')) as {
    server: { pid: number };
  };
  return record.server.pid;
}

const contentOf = ({ timings: _timings, log: _log, ...content }: DecisionRecord): string =>
  JSON.stringify(content);

let calm: Outcome;
beforeAll(async () => {
  calm = await feedWith(async ({ program }) => program);
});

function expectSame(rough: Outcome): void {
  expect(rough.totals).toEqual(calm.totals);
  expect(rough.eventIds).toBe(calm.eventIds);
  expect([...rough.decisions.keys()].sort()).toEqual([...calm.decisions.keys()].sort());
  expect(rough.rowsOf).toEqual(calm.rowsOf);
  for (const [id, content] of calm.decisions) expect(rough.decisions.get(id)).toBe(content);
  for (const [subject, features] of calm.features)
    expect(`${subject} ${rough.features.get(subject)}`).toBe(`${subject} ${features}`);
}

describe('SIGKILL during a feed changes nothing', () => {
  it('has something to compare', () => {
    expect(calm.totals).toMatchObject({ rows, sent: rows, new: rows, duplicate: 0, dead: 0, rejected: 0 });
    expect(calm.decisions.size).toBeGreaterThan(300);
    expect(
      [...calm.decisions.values()].filter((record) => record.includes('"rung":"champion"')).length,
    ).toBeGreaterThan(300);
  });

  it(`of the program, ${kills} times`, async () => {
    const rough = await feedWith(async ({ home, workspace, program, reached }) => {
      let running = program;
      for (let kill = 1; kill <= kills; kill++) {
        await reached(kill / (kills + 1));
        await running.kill();
        running = await startProgram(home, workspace);
      }
      return running;
    });
    expectSame(rough);
  });

  it(`of Redis, ${kills} times`, async () => {
    const rough = await feedWith(async ({ home, program, reached }) => {
      for (let kill = 1; kill <= kills; kill++) {
        await reached(kill / (kills + 1));
        const pid = await redisOf(home);
        process.kill(pid, 'SIGKILL');
        await waitFor('another Redis', async () => (await redisOf(home)) !== pid);
      }
      return program;
    });
    expectSame(rough);
  });
});
