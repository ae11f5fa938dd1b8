import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { checkWorkspace, renderCheck } from './check.ts';
import { initWorkspace } from './init.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'presage-init-'));
});
afterEach(() => rm(parent, { recursive: true }));

describe('presage init', () => {
  test('writes a workspace that passes check as it is', async () => {
    const folder = join(parent, 'My Shop 2');
    expect(await initWorkspace(folder)).toEqual([join(folder, 'presage.yaml'), join(folder, '.gitignore')]);
    const result = await checkWorkspace(folder);
    expect(result.ok && result.summary).toMatchObject({
      name: 'my_shop_2',
      features: 1,
      actions: 1,
      triggers: 1,
    });
    expect(renderCheck(result)).toBe(
      'Workspace my_shop_2 is valid: 1 tenant, 0 event types, 1 feature, 1 placement, 1 action, 1 trigger, 0 models.',
    );
  });

  test.each(['null', '42', '---'])('a folder called %s gets a name that is one', async (name) => {
    await initWorkspace(join(parent, name));
    expect((await checkWorkspace(join(parent, name))).ok).toBe(true);
  });

  test('its third page offers help', async () => {
    await initWorkspace(parent);
    const workspace = await loadWorkspace(parent);
    const eligible = workspace.triggersByType.get('page')?.[0]?.placement.actions[0]?.rules[0]?.expression;
    const isOffered = (pages: number) =>
      eligible?.evaluate({ features: { pages_seen: pages }, event: {}, action: null, context: null });
    expect(isOffered(2)).toEqual({ kind: 'value', value: false });
    expect(isOffered(3)).toEqual({ kind: 'value', value: true });
  });

  test('tells editors where the JSON Schema is', async () => {
    await initWorkspace(parent);
    const text = await readFile(join(parent, 'presage.yaml'), 'utf8');
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    expect(JSON.parse(await readFile(resolve(parent, schema!), 'utf8'))).toHaveProperty(
      'title',
      'Presage workspace',
    );
  });

  test('keeps what is there: an old presage.yaml is not touched', async () => {
    await writeFile(join(parent, 'presage.yaml'), 'mine');
    await expect(initWorkspace(parent)).rejects.toMatchObject({ code: 'workspace_exists' });
    expect(await readFile(join(parent, 'presage.yaml'), 'utf8')).toBe('mine');
    await expect(readFile(join(parent, '.gitignore'))).rejects.toThrow();
  });

  test('adds to a .gitignore that is there, once', async () => {
    await writeFile(join(parent, '.gitignore'), 'node_modules');
    await initWorkspace(parent);
    expect(await readFile(join(parent, '.gitignore'), 'utf8')).toBe('node_modules\n.presage/\n');
  });

  test('a folder that cannot be made is one sentence', async () => {
    await writeFile(join(parent, 'file'), '');
    const error = await initWorkspace(join(parent, 'file', 'below')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PresageError);
    expect(error).toMatchObject({ code: 'workspace_not_written' });
  });
});

describe('presage check', () => {
  test('prints each problem on a line and their number', async () => {
    await writeFile(
      join(parent, 'presage.yaml'),
      'version: 1\nname: shop\ntenants: { main: {} }\nevent: open\n',
    );
    expect(renderCheck(await checkWorkspace(parent))).toBe(
      `${join(parent, 'presage.yaml')}:4:1 event: unknown key; expected one of version, name, description, events, tenants, purposes, types, features, placements, channels, groups, actions, triggers, models, outcomes, sources, holdout, scoring, deduplication, session, timers, state, review, feed, simulate, demo. Did you mean "events"?\n\n1 problem.`,
    );
  });

  test('names event types that an open workspace leaves undeclared', async () => {
    await writeFile(
      join(parent, 'presage.yaml'),
      'version: 1\nname: shop\ntenants: { main: {} }\ntypes: { page: {} }\nfeatures: { n: { kind: time_since, of: paeg } }\n',
    );
    expect(renderCheck(await checkWorkspace(parent))).toContain(
      'Not declared under types, and read as they come: paeg.',
    );
  });
});
