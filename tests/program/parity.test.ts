import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParityReport } from '../../app/parity/port.ts';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/index.ts';
import { seededIdentityLog, seededParityLog } from '../support/parity-log.ts';
import { type Home, makeHome, presage, root, startProgram } from '../support/program.ts';

const workspace = join(root, 'tests', 'workspaces', 'parity');
const travel = join(root, 'examples', 'travel');
const trivago = join(root, '..', 'shared', 'data', 'trivago-100k', 'trivago_val_100k.csv.gz');
const hasTrivago = existsSync(trivago);
if (!hasTrivago) console.warn(`SKIPPED: the trivago log is not beside the checkout (${trivago}).`);

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const here = () => ['--port', String(home.port), '--data', home.data];
async function parity(
  folder: string,
  ...args: string[]
): Promise<{ code: number | null; report: ParityReport }> {
  const { out, err, code } = await presage(home, [
    'features',
    'parity',
    '--json',
    '-w',
    folder,
    ...here(),
    ...args,
  ]).finished;
  if (out === '') throw new Error(err);
  return { code, report: JSON.parse(out) as ParityReport };
}

describe('presage features parity', () => {
  it('finds no difference on a log with late, repeated and disordered events, and finds one that is planted', async () => {
    const { lines, repeats } = seededParityLog(3_000);
    const file = join(home.folder, 'log.jsonl');
    await writeFile(file, lines.join('\n'));
    const program = await startProgram(home, workspace);
    const fed = await presage(home, ['feed', file, '--order', 'file', '--json', '-w', workspace, ...here()])
      .finished;
    expect(JSON.parse(fed.out)).toMatchObject({ new: 3_000, duplicate: repeats, dead: 0 });

    const { code, report } = await parity(workspace, '--sample', '120');
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect([report.ok, code, report.decisions.compared, report.features.length]).toEqual([true, 0, 120, 19]);
    for (const row of report.features)
      expect(row).toMatchObject({ compared: 120, mismatch: 0, missing: 0, extra: 0 });
    // Two keys are kept of five, so that keys come back after they were forgotten; of nothing else is there too much.
    const beyond = report.features
      .filter(({ beyondLimits }) => beyondLimits > 0)
      .map(({ feature }) => feature);
    expect(beyond).toEqual(['few_by_item']);
    expect(report.conditionsByEngine).toEqual(['event.note.matches("^a+$")']);
    // More than one request carries: it is asked for in halves.
    const more = await parity(workspace, '--sample', '500');
    expect([more.report.ok, more.report.decisions.compared]).toEqual([true, 500]);
    await program.stop();

    const warehouse = await openEmbeddedWarehouse({ folder: join(home.data, 'clickhouse') });
    const [planted] = await warehouse.rows<{ id: string }>(
      "SELECT id FROM decisions WHERE JSONExtractFloat(record, 'features', 'views_5m') = 2 ORDER BY id LIMIT 1",
    );
    const wrong = `replaceOne(replaceOne(record, '"views_5m":2', '"views_5m":3'), '"last_item":', '"retired":')`;
    await warehouse.command(
      `INSERT INTO decision_rows SELECT * REPLACE (${wrong} AS record, version + 1 AS version) FROM decision_rows WHERE id = '${planted?.id}'`,
    );
    await warehouse.close();
    const again = await parity(workspace, '--sample', '120');
    expect([again.report.ok, again.code]).toEqual([false, 1]);
    const found = again.report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits);
    expect(found.map(({ kind, feature, decision }) => [kind, feature, decision])).toEqual([
      ['mismatch', 'views_5m', planted?.id],
      ['missing', 'last_item', planted?.id],
      ['extra', 'retired', planted?.id],
    ]);
    expect(found[0]).toMatchObject({ served: 3, computed: 2 });
  });

  it('finds none where anonymous ids became users, one after another, with late events and exposures', async () => {
    const { lines, identified } = seededIdentityLog(500); // Within the de-duplication window, however far moves are behind.
    const file = join(home.folder, 'log.jsonl');
    await writeFile(file, lines.join('\n'));
    const program = await startProgram(home, workspace);
    const fed = await presage(home, ['feed', file, '--order', 'file', '--json', '-w', workspace, ...here()])
      .finished;
    expect(JSON.parse(fed.out)).toMatchObject({ new: 500, duplicate: lines.length - 500, dead: 0 });
    const [moved] = await program.sql<{ n: number }>(
      'SELECT toUInt32(countIf(of_subject != subject)) AS n FROM subject_events',
    );
    expect(moved?.n).toBeGreaterThan(identified);
    const { report } = await parity(workspace, '--sample', '200');
    expect(report.differences.filter(({ isBeyondLimits }) => !isBeyondLimits)).toEqual([]);
    expect([report.ok, report.decisions.compared]).toEqual([true, 200]);
    await program.stop();
  });

  it('finds none where subjects were forgotten and began anew, and still finds what is planted there', async () => {
    const folder = join(home.folder, 'workspace');
    await mkdir(folder);
    await writeFile(
      join(folder, 'presage.yaml'),
      `version: 1
name: forgetting
tenants: { acme: {} }
types: { view: { properties: { item: string, price: number } } }
features:
  views_5m: { kind: count, of: view, window: 5m }
  highest_1h: { kind: max, of: view, property: price, window: 1h }
  recent: { kind: last_n, of: view, property: item, n: 4 }
placements: { banner: {} }
actions: { hint: { placements: [banner], value: 1, content: { title: Hint } } }
triggers: { on_view: { on: view, placement: banner } }
state: { ttl: 8m }
`,
    );
    // Sixteen who come every minute, and three who come for two minutes of each twelve.
    const lines = Array.from({ length: 25 }, (_, minute) =>
      Array.from({ length: 19 }, (_, person) =>
        person >= 16 && minute % 12 > 1
          ? []
          : JSON.stringify({
              id: `e${minute}-${person}`,
              type: 'view',
              userId: `p${person}`,
              time: Date.UTC(2026, 0, 15) + minute * 60_000 + person * 1_000,
              properties: { item: `item ${minute}`, price: 100 - minute },
            }),
      ).flat(),
    ).flat();
    const file = join(home.folder, 'log.jsonl');
    await writeFile(file, lines.join('\n'));
    const program = await startProgram(home, folder);
    await presage(home, ['feed', file, '--order', 'file', '--json', '-w', folder, ...here()]).finished;
    const { report } = await parity(folder, '--sample', '1000');
    expect(report.differences).toEqual([]);
    // All that the three did in their second and third visit.
    expect([report.ok, report.decisions]).toEqual([
      true,
      expect.objectContaining({ compared: 415, forgotten: 9 }),
    ]);
    await program.stop();

    const warehouse = await openEmbeddedWarehouse({ folder: join(home.data, 'clickhouse') });
    const [planted] = await warehouse.rows<{ id: string }>(
      "SELECT id FROM decisions WHERE subject = 'u:p17' ORDER BY time DESC LIMIT 1",
    );
    await warehouse.command(
      `INSERT INTO decision_rows SELECT * REPLACE (replaceOne(record, '"highest_1h":', '"highest_1h":1') AS record, version + 1 AS version) FROM decision_rows WHERE id = '${planted?.id}'`,
    );
    await warehouse.close();
    const again = await parity(folder, '--sample', '1000');
    expect([again.report.ok, again.report.decisions.forgotten]).toEqual([false, 8]);
    expect(new Set(again.report.differences.map(({ decision }) => decision))).toEqual(new Set([planted?.id]));
  });

  it.skipIf(!hasTrivago)(
    'finds no difference on the trivago log [real data]',
    async () => {
      const program = await startProgram(home, travel);
      await presage(home, ['feed', trivago, '--json', '-w', travel, ...here()]).finished;
      const { code, report } = await parity(travel, '--sample', '1000');
      expect(report.differences).toEqual([]);
      expect([report.ok, code, report.decisions.compared]).toEqual([true, 0, 1_000]);
      for (const row of report.features) expect(row).toMatchObject({ compared: 1_000, beyondLimits: 0 });
      await program.stop();
    },
    600_000,
  );
});
