import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../decisions/gate.ts';
import type { RightCalibration } from '../../schemas/index.ts';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { type Home, makeHome, presage, root } from '../support/program.ts';
import { silentLogger } from '../support/silence.ts';

const labels = 300;

describe('presage calibrate', () => {
  let home: Home;
  let workspace: string;

  beforeAll(async () => {
    home = await makeHome();
    workspace = join(home.folder, 'workspace');
    await cp(join(root, 'tests', 'workspaces', 'review'), workspace, { recursive: true });
    const warehouse = await openEmbeddedWarehouse({
      folder: join(home.data, 'clickhouse'),
      logger: silentLogger(),
    });
    // 300 that are mature, of which one in 30 was rejected and one in 60 approved and then reopened; 40 that are younger,
    // 20 that another model scored, and 10 that nobody looked at in time.
    const insert = (from: number, to: number, verdict: string, daysAgo: number) =>
      warehouse.command(`INSERT INTO review_rows (decision, tenant, action, placement, verdict, reason, probability, threshold, reviewed_by, subject, time, received, id, position)
        SELECT concat('d', toString(number)), 'acme', 'refund', 'help', ${verdict}, 'gate', 1, 0.85, 'test', 'u:ann', now64(3) - INTERVAL ${daysAgo} DAY, now64(3), toString(number), number
        FROM numbers(${from}, ${to - from})`);
    await insert(0, 300, "if(number % 30 = 0, 'rejected', 'approved')", 10);
    await insert(300, 340, "'approved'", 1);
    await insert(340, 360, "'rejected'", 20);
    await insert(360, 370, "'expired'", 10);
    await warehouse.command(`INSERT INTO decision_rows (id, tenant, action, accept_probability, model_sha256, received, record)
      SELECT concat('d', toString(number)), 'acme', 'refund', 0.05, if(number >= 340 AND number < 360, repeat('a', 64), ''), now64(3), '{}' FROM numbers(370)`);
    await warehouse.command(`INSERT INTO outcome_event_rows (decision, tenant, outcome, action, placement, received, id)
      SELECT concat('d', toString(number * 60 + 1)), 'acme', 'reopened', 'refund', 'help', now64(3), toString(number) FROM numbers(5)`);
    await warehouse.close();
  });
  afterAll(() => home?.remove());

  const run = (...args: string[]) =>
    presage(home, ['calibrate', ...args, '--workspace', workspace, '--data', home.data]).finished;

  it('learns from mature verdicts how sure a gate can be, which then lets pass what is sure enough', async () => {
    const { out, err } = await run('refund', '--json');
    expect(err).toBe('');
    const told = JSON.parse(out) as RightCalibration & { file: string; leftOut: object };
    // 300 - 10 rejected - 5 reopened; drawn towards a half by two labels.
    const sure = (285 + 1) / 302;
    expect(told).toMatchObject({
      file: 'gates/refund.json',
      action: 'refund',
      model: null,
      labels,
      leftOut: { immature: 40, otherModel: 20 },
      x: [expect.closeTo(0.05, 9)],
      y: [expect.closeTo(sure, 9)],
    });

    const gateIn = async () =>
      (await loadWorkspace(workspace)).placements.get('help')?.actions[0] ?? { name: '', gate: null };
    const asked = { id: 'd1', time: 0, acceptProbability: 0.05, model: null };
    expect(judge(await gateIn(), asked)?.review).toMatchObject({ reason: 'gate', confidence: null });
    const before = (await loadWorkspace(workspace)).hash;
    const file = join(workspace, 'presage.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      text.replace(
        'effect: moves_money',
        'effect: moves_money\n    gate: { calibration: gates/refund.json }',
      ),
    );
    expect(judge(await gateIn(), asked)).toMatchObject({
      verdict: null,
      review: { reason: null, probability: 0, confidence: expect.closeTo(sure, 9) },
    });
    // Another calibration is another workspace, and another policy: it comes into force through the log.
    const first = await loadWorkspace(workspace);
    expect(first.hash).not.toBe(before);
    await writeFile(
      join(workspace, 'gates', 'refund.json'),
      JSON.stringify({
        ...JSON.parse(await readFile(join(workspace, 'gates', 'refund.json'), 'utf8')),
        labels: 199,
      }),
    );
    const second = await loadWorkspace(workspace);
    expect(second.hash).not.toBe(first.hash);
    expect(second.placements.get('help')?.policy).not.toBe(first.placements.get('help')?.policy);
    expect(judge(await gateIn(), asked)?.review).toMatchObject({ reason: 'gate', confidence: null });
    await writeFile(join(workspace, 'gates', 'refund.json'), '{"calibration": 1}');
    await expect(loadWorkspace(workspace)).rejects.toThrow('is no calibration of a gate');
  });

  it('says what is missing', async () => {
    await cp(join(root, 'tests', 'workspaces', 'review', 'presage.yaml'), join(workspace, 'presage.yaml'));
    const none = await run('no_such');
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('those are: refund')]);
    const empty = await run('refund', '--tenant', 'bolt');
    expect(empty.err).toContain('Nobody has said anything of "refund" yet that is three days old');
  });
});
