import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BuildStatus } from '../../gateway/index.ts';
import {
  addedFeatures,
  feedLines,
  feedThrough,
  linesWithVisitors,
  miscounted,
  parityOf,
  parityWorkspaces,
} from '../support/builds.ts';
import { describeWithKafka, startTestKafka, type TestKafka } from '../support/kafka.ts';
import { type Home, makeHome, presage, startProgram, waitFor } from '../support/program.ts';

describeWithKafka('state made anew with Kafka as the log', () => {
  let broker: TestKafka;
  let home: Home;
  beforeAll(async () => {
    broker = await startTestKafka();
    home = await makeHome({ KAFKA_BROKERS: broker.address });
  });
  afterAll(async () => {
    await home?.remove();
    await broker?.stop();
  });

  it('gives new features their history, through a kill, and makes all of it again from the log alone', async () => {
    const [first = [], second = [], third = []] = linesWithVisitors(4_000, [0.6, 0.8, 1]);
    const folder = join(home.folder, 'workspace');
    const here = ['--port', String(home.port)];
    const { full, without } = await parityWorkspaces();
    await mkdir(folder);
    await writeFile(join(folder, 'presage.yaml'), without);
    let program = await startProgram(home, folder);
    const all = { dead: 0, rejected: 0 };
    const feed = async (name: string, lines: readonly string[], ...args: string[]) =>
      JSON.parse((await feedLines(home, name, lines, ...args)).out) as object;
    expect(await feed('first.jsonl', first)).toMatchObject(all);

    await writeFile(join(folder, 'presage.yaml'), full);
    const feeding = feedThrough(home, 'second.jsonl', second, '--rate', '100');
    const applying = presage(home, ['apply', ...here]);
    await waitFor('some of it to be built', async () => {
      const { build } = await program.ask<BuildStatus>('/api/builds');
      return build?.partitions.some(({ position }) => position > 0);
    });
    await program.kill();
    await applying.finished;
    program = await startProgram(home, folder);
    const applied = await presage(home, ['apply', '--json', ...here]).finished;
    expect([applied.code, applied.err]).toEqual([0, '']);
    expect(JSON.parse((await feeding).out)).toMatchObject(all);

    const again = await presage(home, ['rebuild', '--from', 'log', '--json', ...here]).finished;
    expect([again.code, JSON.parse(again.out)]).toMatchObject([
      0,
      { begun: true, last: { kind: 'rebuild' } },
    ]);
    expect(await feed('third.jsonl', third)).toMatchObject(all);

    const report = await parityOf(home);
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect(report.decisions.compared).toBeGreaterThan(100);
    expect(report.features.map(({ feature }) => feature)).toEqual(expect.arrayContaining(addedFeatures));
    expect(await miscounted(program)).toEqual({ missing: [], twice: [] });
    expect((await program.stop()).code).toBe(0);
  }, 900_000);
});
