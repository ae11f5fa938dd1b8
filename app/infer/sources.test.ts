import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedWarehouse, type Warehouse } from '../../sinks/clickhouse/index.ts';
import { root } from '../../tests/support/program.ts';
import { seededTrivagoLog } from '../../tests/support/trivago.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { loadRowMap, rowIsEvent } from '../feed/index.ts';
import { emptyProfile } from './profile.ts';
import { propose } from './propose.ts';
import { observeFile, observeStored } from './sources.ts';

const travel = join(root, 'examples', 'travel');
const trivago = join(root, '..', 'shared', 'data', 'trivago-100k', 'trivago_val_100k.csv.gz');
const hasTrivago = existsSync(trivago);
if (!hasTrivago) console.warn(`SKIPPED: the trivago log is not beside the checkout (${trivago}).`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-infer-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function inferFile(path: string) {
  const profile = emptyProfile();
  const map = await loadRowMap(join(travel, 'map.mjs'));
  const observed = await observeFile(profile, path, { name: path, map, format: null });
  return { observed, profile };
}

describe('events of a file', () => {
  it('are read as feed reads them', async () => {
    const path = join(folder, 'log.csv');
    await writeFile(path, seededTrivagoLog(500));
    const { observed, profile } = await inferFile(path);
    expect(observed).toEqual({ events: 500, rejected: 0, firstReject: null });
    const proposals = propose(profile, {});
    expect(proposals.map(({ type }) => type)).toContain('clickout_item');
    expect(proposals.find(({ type }) => type === 'clickout_item')?.properties).toContainEqual(
      expect.objectContaining({ name: 'price', type: 'number' }),
    );
  });

  it('rows that are none are counted, the first with its reason', async () => {
    const path = join(folder, 'events.jsonl');
    await writeFile(
      path,
      '{"type":"a","userId":"u","time":1700000000000,"properties":{"x":1}}\n{"time":1}\nnonsense\n',
    );
    const profile = emptyProfile();
    const observed = await observeFile(profile, path, { name: path, map: rowIsEvent, format: null });
    expect(observed).toMatchObject({
      events: 1,
      rejected: 2,
      firstReject: expect.stringContaining('row 2: type'),
    });
    expect([...profile.types.keys()]).toEqual(['a']);
  });

  it('a file that is not there is said to be', async () => {
    const missing = observeFile(emptyProfile(), join(folder, 'no'), {
      name: 'no',
      map: rowIsEvent,
      format: null,
    });
    await expect(missing).rejects.toMatchObject({ code: 'file_unreadable', message: 'There is no file no.' });
  });

  it.skipIf(!hasTrivago)(
    'the trivago log has nothing that the example does not declare [real data]',
    async () => {
      const { observed, profile } = await inferFile(trivago);
      expect(observed.events).toBe(100_003);
      const { source } = await loadWorkspace(travel);
      expect(propose(profile, source.types)).toEqual([]);
      // Without the declarations, the proposals are what somebody wrote there by hand.
      for (const { type, properties, required } of propose(profile, {})) {
        const declared = source.types[type];
        for (const property of properties)
          expect(declared?.properties[property.name], property.name).toBe(property.type);
        expect(required).toEqual(expect.arrayContaining(declared?.required ?? ['?']));
      }
    },
  );
});

describe('stored events', () => {
  let warehouse: Warehouse;
  beforeAll(async () => {
    warehouse = await openEmbeddedWarehouse({ folder: join(folder, 'clickhouse') });
    const row = (tenant: string, type: string, i: number, properties: object) =>
      JSON.stringify({
        tenant,
        type,
        id: `${type}${i}`,
        subject: 'u:a',
        properties: JSON.stringify(properties),
        received: Date.now(),
      });
    const rows = [
      ...Array.from({ length: 1_300 }, (_, i) => row('shop', "it's \\ new", i, { price: i })),
      ...Array.from({ length: 3 }, (_, i) => row('rival', 'other', i, { flag: true })),
    ];
    await warehouse.insert('events', `${rows.join('\n')}\n`, 'infer');
  });
  afterAll(() => warehouse.close());
  const ask = <T>(sql: string): Promise<T[]> => warehouse.rows<T>(sql);

  it('are all looked at, page by page, each once', async () => {
    const profile = emptyProfile();
    const found = await observeStored(profile, ask, { sample: 10_000, tenant: null });
    expect(found).toEqual({
      observed: 1_303,
      totals: new Map([
        ["it's \\ new", 1_300],
        ['other', 3],
      ]),
    });
    expect(profile.types.get("it's \\ new")?.properties.get('price')).toMatchObject({
      present: 1_300,
      least: 0,
      greatest: 1_299,
    });
  });

  it('are sampled, and of one tenant, where that is asked for', async () => {
    const profile = emptyProfile();
    expect((await observeStored(profile, ask, { sample: 700, tenant: 'shop' })).observed).toBe(700);
    expect([...profile.types.keys()]).toEqual(["it's \\ new"]);
  });
});
