import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { memoryLog, type NewRecord } from '../../stream/log/index.ts';
import { memoryState } from '../../stream/state/index.ts';
import { root } from '../../tests/support/program.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { systemClock } from '../clock.ts';
import { makeBuilder } from './builder.ts';
import { type LoadedEngine, readWorkspace } from './engine.ts';
import { makeEngines } from './engines.ts';
import { readBuilds, readSource } from './plan.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-builder-'));
  await cp(join(root, 'tests', 'workspaces', 'small'), folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const engineOf = (workspace: CompiledWorkspace): LoadedEngine => ({
  workspace,
  features: makeFeatureSet(workspace),
  scorers: { get: () => undefined, close: async () => {} },
});

async function change(from: string, to: string): Promise<void> {
  const path = join(folder, 'presage.yaml');
  await writeFile(path, (await readFile(path, 'utf8')).replace(from, to));
}

/** A builder whose builds never get anywhere: ClickHouse does not say how far it is. */
async function rig(load = async (workspace: CompiledWorkspace) => engineOf(workspace)) {
  const store = memoryState({ clock: systemClock });
  const { workspace, text } = await readWorkspace(folder);
  const log = memoryLog({ partitions: 2, clock: systemClock });
  const appended: NewRecord[] = [];
  const builder = makeBuilder({
    log: {
      ...log,
      append: async (records) => {
        appended.push(...records);
        return log.append(records);
      },
    },
    store,
    history: { end: () => null, rows: async () => [], closed: async () => [] },
    engines: makeEngines(store, engineOf(workspace)),
    clock: systemClock,
    logger: silentLogger(),
    load,
    text,
    resume: null,
    logVersion: () => 1,
  });
  await builder.role.start();
  const apply = (dryRun = false) =>
    builder.builds.begin({ kind: 'features', partition: null, from: 'events', dryRun });
  const rebuild = (partition: number | null = null) =>
    builder.builds.begin({ kind: 'rebuild', partition, from: 'events', dryRun: false });
  return { ...builder, store, appended, apply, rebuild };
}

const more = ['features:\n', 'features:\n  latest: { kind: last, of: view, property: sku }\n'] as const;

describe('asking for a build', () => {
  it('does nothing for the workspace that runs', async () => {
    const { apply, builds, role } = await rig();
    expect(await apply()).toMatchObject({ begun: false, changes: { isOther: false } });
    expect(await builds.status()).toMatchObject({ build: null });
    await role.stop();
  });

  it('begins one build where two ask at once, and the second watches it', async () => {
    const { apply, builds, role, store } = await rig();
    await change(...more);
    const answers = await Promise.all([apply(), apply(), apply(true)]);
    expect(answers.map(({ begun }) => begun)).toEqual([true, false, false]);
    expect(answers.map(({ changes }) => changes.added)).toEqual([['latest'], ['latest'], ['latest']]);
    expect(await builds.status()).toMatchObject({ build: { generation: 1 } });
    expect((await readBuilds(store)).plan).toMatchObject({ generation: 1, partitions: [0, 1] });
    await role.stop();
  });

  it('builds nothing where only models are others: each partition is told once to go on with them', async () => {
    const { apply, builds, role, appended } = await rig();
    await change('name: small', 'name: small\nscoring: { budget: 30ms }');
    const { workspace } = await readWorkspace(folder);
    expect(await apply()).toMatchObject({ begun: true, changes: { isOther: true, isStateSame: true } });
    await expect.poll(() => appended.length, { timeout: 60_000 }).toBe(2);
    expect(await apply()).toMatchObject({ begun: false });
    expect(await builds.status()).toMatchObject({ build: { kind: 'workspace' } });
    await role.stop();
    expect(appended.map(({ partition }) => partition)).toEqual([0, 1]);
    for (const { value } of appended)
      expect(JSON.parse(String(value))).toMatchObject({
        type: '$control',
        properties: { control: 'use', workspace: workspace.hash },
      });
  });

  it('refuses another change while one is being built, and another build', async () => {
    const { apply, rebuild, builds, role } = await rig();
    await change(...more);
    await apply();
    await change('kind: last,', 'kind: last_n, n: 2,');
    const busy = { code: 'build_running', retriable: true };
    await expect(apply()).rejects.toMatchObject({
      ...busy,
      message: expect.stringContaining(
        'Generation 1 is being built, with a workspace that is not the one on disk',
      ),
    });
    await expect(rebuild()).rejects.toMatchObject({
      ...busy,
      message: expect.stringContaining('all partitions for presage apply'),
    });
    expect(await builds.status()).toMatchObject({ build: { generation: 1, kind: 'features' } });
    await role.stop();
  });

  it('watches a rebuild that has the partition asked for, and refuses it for others', async () => {
    const { rebuild, role } = await rig();
    expect(await rebuild(1)).toMatchObject({ begun: true });
    expect(await rebuild(1)).toMatchObject({ begun: false });
    await expect(rebuild(0)).rejects.toThrow('partition 1 for presage rebuild');
    await expect(rebuild(7)).rejects.toMatchObject({ code: 'build_running' });
    await role.stop();
  });

  it('names the partitions that there are', async () => {
    const { rebuild, role } = await rig();
    await expect(rebuild(2)).rejects.toThrow('There are partitions 0 to 1.');
    await role.stop();
  });

  it('says what is wrong with a workspace, and where, while a build goes on', async () => {
    const { apply, builds, role } = await rig();
    await change(...more);
    await apply();
    await change('kind: last,', 'kind: lost,');
    for (const dryRun of [true, false])
      await expect(apply(dryRun)).rejects.toMatchObject({
        code: 'workspace_invalid',
        message: expect.stringMatching(/presage\.yaml:\d+:\d+ features\.latest\.kind: .*lost/),
      });
    expect(await builds.status()).toMatchObject({ build: { generation: 1 } });
    await role.stop();
  });

  it('begins nothing where the workspace can not be loaded, and takes the next one', async () => {
    let isRefused = true;
    const { apply, builds, role, store } = await rig(async (workspace) => {
      if (isRefused) throw new Error('the registry refused the schema');
      return engineOf(workspace);
    });
    await change(...more);
    const { workspace } = await readWorkspace(folder);
    await expect(apply()).rejects.toThrow('refused the schema');
    expect(await builds.status()).toMatchObject({ build: null });
    expect([(await readBuilds(store)).plan, await readSource(store, workspace.hash)]).toEqual([null, null]);
    isRefused = false;
    expect(await apply()).toMatchObject({ begun: true });
    await role.stop();
  });
});
