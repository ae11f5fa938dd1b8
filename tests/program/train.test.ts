import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ModelManifest } from '../../schemas/index.ts';
import { decisionOf } from '../../sinks/clickhouse/history.fixture.ts';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/index.ts';
import { rowOfDecision } from '../../sinks/clickhouse/rows/decision.ts';
import { lineOf } from '../../sinks/clickhouse/rows/well-formed.ts';
import { type Home, makeHome, presage, root, startProgram } from '../support/program.ts';
import { seededRandom } from '../support/trivago.ts';

let home: Home;
let workspace: string;
beforeEach(async () => {
  home = await makeHome();
  workspace = join(home.folder, 'workspace');
  await cp(join(root, 'examples', 'shop'), workspace, {
    recursive: true,
    filter: (path) => !path.includes('.presage'),
  });
  // Visitors would play by themselves.
  await rewrite((text) => text.replace(/^(simulate|demo): .*$/gm, ''));
});
afterEach(() => home.remove());

async function rewrite(change: (text: string) => string): Promise<void> {
  const file = join(workspace, 'presage.yaml');
  await writeFile(file, change(await readFile(file, 'utf8')));
}

const run = (...args: string[]) => presage(home, [...args, '-w', workspace]).finished;
const train = (...args: string[]) => run('train', 'accept', ...args, '--port', String(home.port));

/** Offers shown a month ago: discounts are taken by who has looked at much, help by who has not. */
async function plantOffers(count: number): Promise<void> {
  const random = seededRandom(5);
  const start = Date.UTC(2026, 0, 15);
  const shown = Array.from({ length: count }, (_, n) => {
    const views = Math.floor(random() * 10);
    const action = random() < 0.5 ? 'ten_percent' : 'size_help';
    const isTaken = random() < (action === 'ten_percent' ? views / 12 : 0.7 - views / 14);
    return { id: `planted-${n}`, time: start + n * 1_000, views, action, isTaken };
  });
  const warehouse = await openEmbeddedWarehouse({ folder: join(home.data, 'clickhouse') });
  const put = (table: string, rows: readonly object[]) =>
    warehouse.insert(
      table,
      rows.map((row) => lineOf({ received: start, ...row })).join(''),
      `planted-${table}`,
    );
  const common = { tenant: 'shop', placement: 'banner' };
  await put(
    'decision_rows',
    shown.map(({ id, time, views, action }) => {
      const change = { time, action, ...common, features: { views_10m: views } };
      return rowOfDecision({ ...decisionOf(0, 1, id), ...change } as never, 1n).row;
    }),
  );
  await put(
    'exposure_rows',
    shown.map(({ id, time }, n) => ({ ...common, decision: id, time, position: n })),
  );
  await put(
    'outcome_event_rows',
    shown
      .filter(({ isTaken }) => isTaken)
      .map(({ id, time }, n) => ({
        ...common,
        decision: id,
        outcome: 'accepted',
        time: time + 500,
        position: n,
      })),
  );
  const later = start + 30 * 86_400_000;
  await put('events', [
    {
      tenant: 'shop',
      subject: 'u:x',
      type: 'page',
      time: later,
      stated_time: later,
      id: 'later',
      position: 1,
    },
  ]);
  await warehouse.close();
}

it('presage train says why it does not, and else writes a model that the workspace takes', async () => {
  const program = await startProgram(home, workspace);
  const refused = await train();
  expect(refused.code).toBe(2);
  expect(refused.err).toMatch(/There are 0 labelled exposures.*at least 500.*Left out: 0 simulated/);
  const unknown = await train('--placement', 'nowhere');
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('no placement "nowhere"')]);
  await program.stop();

  await plantOffers(900);
  const again = await startProgram(home, workspace);
  const told = await train();
  expect([told.err, told.code]).toEqual(['', 0]);
  expect(told.out).toMatch(/Learned from 900 exposures[\s\S]*fitted on 540[\s\S]*log loss[\s\S]*within \d/);
  const { out } = await train('--json', '--calibration', 'isotonic');
  const { manifest, parity } = JSON.parse(out) as { manifest: ModelManifest; parity: number };
  expect(parity).toBeLessThan(1e-5);
  expect(manifest.calibration?.kind).toBe('isotonic');
  expect(Number(manifest.metrics.log_loss)).toBeLessThan(Number(manifest.metrics.log_loss_of_rate));
  await again.stop();

  await rewrite((text) => text.replace('file: models/accept.onnx', 'file: models/accept.trained.onnx'));
  const checked = await run('check');
  expect([checked.err, checked.code]).toEqual(['', 0]);
});
