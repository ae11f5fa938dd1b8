import { createHash } from 'node:crypto';
import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DecisionRecord } from '../../schemas/index.ts';
import { tinyModel } from '../support/onnx-models.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

/** A model that gives everything the same probability, by which its scores are known again. */
const modelOf = (probability: number) =>
  tinyModel({
    inputs: [{ name: 'rows', shape: ['n', 2] }],
    outputs: [{ name: 'p', shape: ['n', 1] }],
    constants: {
      w: { shape: [2, 1], values: [0, 0] },
      b: { shape: [1], values: [Math.log(probability / (1 - probability))] },
    },
    nodes: [
      { op: 'Gemm', from: ['rows', 'w', 'b'], to: ['x'] },
      { op: 'Sigmoid', from: ['x'], to: ['p'] },
    ],
  });
const probabilities = [0.25, 0.75];
const models = probabilities.map(modelOf);
const hashes = models.map((model) => createHash('sha256').update(model).digest('hex'));

let home: Home;
let workspace: string;
let program: Program;
let key: string;
let sent = 0;
beforeEach(async () => {
  home = await makeHome();
  workspace = join(home.folder, 'workspace');
  await cp(join(root, 'tests', 'workspaces', 'popular'), workspace, { recursive: true });
  await putModel(models[0]!);
  program = await startProgram(home, workspace);
  const { out, err } = await run('keys', 'create', '--tenant', 'acme', '--scopes', 'write,read', '--json');
  if (out === '') throw new Error(err);
  key = (JSON.parse(out) as { key: string }).key;
  sent = 0;
});
afterEach(async () => {
  // A killed program leaves its Redis behind, for the next start to find.
  await program?.stop();
  await home?.remove();
});

const run = (...args: string[]) => presage(home, [...args, '--port', String(home.port)]).finished;
const putModel = (bytes: Uint8Array) => writeFile(join(workspace, 'accept.onnx'), bytes);

/** Arrivals of 40 users, so in all partitions; a batch without an answer is sent again, as it is. */
async function arrive(count: number): Promise<void> {
  const batch = Array.from({ length: count }, () => {
    sent += 1;
    return { type: 'track', event: 'arrived', messageId: `m${sent}`, userId: `user-${sent % 40}` };
  });
  await waitFor('a batch to be taken', async () => {
    const response = await fetch(`${program.address}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ batch }),
    });
    return response.ok;
  });
}

const decisions = () =>
  waitFor('all decisions in ClickHouse', async () => {
    const rows = await program.sql<{ record: string }>(
      "select record from decisions where trigger = 'on_arrival'",
    );
    return rows.length === sent && rows.map(({ record }) => JSON.parse(record) as DecisionRecord);
  });

/** Each decision was scored by the model that it names; by partition, where the second model begins and the first ends. */
function changeOvers(records: readonly DecisionRecord[]): Map<number, { first: number; last: number }> {
  const byPartition = new Map<number, { first: number; last: number }>();
  for (const { model, candidates, log, rung } of records) {
    const which = hashes.indexOf(model?.sha256 ?? '');
    expect([rung, which >= 0]).toEqual(['champion', true]);
    expect(candidates[0]?.score?.acceptProbability).toBeCloseTo(probabilities[which] ?? 0, 6);
    const at = byPartition.get(log.partition) ?? { first: Number.POSITIVE_INFINITY, last: -1 };
    if (which === 1) at.first = Math.min(at.first, log.position);
    else at.last = Math.max(at.last, log.position);
    byPartition.set(log.partition, at);
  }
  return byPartition;
}

it('a new model comes into force at one position of each partition, without a restart, through a kill', async () => {
  await arrive(120);
  await putModel(models[1]!);
  const applying = run('apply', '--json');
  await arrive(120);
  // Wherever the change-over is by now, it goes on with the models that it began with.
  await program.kill();
  await applying;
  program = await startProgram(home, workspace);
  await arrive(40);
  const { out, code } = await run('apply', '--json');
  expect({ out: JSON.parse(out), code }).toMatchObject({ code: 0 });
  await arrive(120);

  const changed = changeOvers(await decisions());
  expect(changed.size).toBe(4);
  for (const { first, last } of changed.values()) expect(first).toBeGreaterThan(last);
  // What was kept of the first model is gone.
  await waitFor('the first model to be forgotten', async () => {
    return (await readdir(join(home.data, 'models'))).length === 1;
  });
});

it('a new model needs no other state; one that is refused leaves the old one serving', async () => {
  await arrive(40);
  await putModel(models[1]!);
  const applied = await run('apply', '--json');
  expect(JSON.parse(applied.out)).toMatchObject({
    begun: true,
    changes: { added: [], removed: [], isStateSame: true },
    last: { kind: 'workspace' },
  });
  await arrive(40);

  for (const [bytes, words] of [
    [Buffer.from('no model'), 'is not an ONNX model that can be loaded'],
    [models[1]!.subarray(0, 60), 'is not an ONNX model that can be loaded'],
    [
      tinyModel({
        inputs: [{ name: 'rows', shape: ['n', 3] }],
        outputs: [{ name: 'p', shape: ['n', 3] }],
        nodes: [{ op: 'Sigmoid', from: ['rows'], to: ['p'] }],
      }),
      'the workspace lists 2 inputs',
    ],
  ] as const) {
    await putModel(bytes);
    const refused = await run('apply');
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(words);
  }
  await arrive(40);
  const changed = changeOvers(await decisions());
  for (const { first, last } of changed.values()) expect(first).toBeGreaterThan(last);
  const ofLast = (await decisions()).filter(({ startedBy }) => Number(eventOf(startedBy)) > 80);
  expect(ofLast).toHaveLength(40);
  expect(new Set(ofLast.map(({ model }) => model?.sha256))).toEqual(new Set([hashes[1]]));
});

const eventOf = (startedBy: DecisionRecord['startedBy']): string =>
  startedBy.kind === 'trigger' ? startedBy.event.slice(1) : '';
