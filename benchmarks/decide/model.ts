import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Registry } from 'prom-client';
import { systemClock } from '../../app/clock.ts';
import { finishDecision, type Question } from '../../decisions/index.ts';
import { loadScorers, scorerMetrics } from '../../scorers/index.ts';
import { decideAll } from '../../stream/decide.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { makeRandom } from '../shared/random.ts';
import { circumstances, publish } from '../shared/results.ts';
import { trust, verdict } from '../shared/verdict.ts';
import { quietLogger } from '../w1/worker.ts';
import { featureNames, setUp, writeSetUp } from './set-up.ts';

/**
 * The first set-up with the model: 20 candidates, full trace, three expressions that read nothing of the candidate, and
 * a forest of 100 trees over 20 features, through the product's own path from questions to records.
 */
const { values: options } = parseArgs({
  options: {
    decisions: { type: 'string', default: '40000' },
    rounds: { type: 'string', default: '5' },
    print: { type: 'boolean', default: false },
  },
});
const decisions = Number(options.decisions);
const rounds = Number(options.rounds);
/** What a busy worker decides in one commit. */
const batch = 200;
const folder = mkdtempSync(join(tmpdir(), 'presage-decide-'));

function questionsOf(workspace: CompiledWorkspace, count: number): Question[] {
  const placement = workspace.placements.get('banner');
  if (placement === undefined) throw new Error('The set-up has a banner.');
  const random = makeRandom(5);
  return Array.from({ length: count }, (_, n) => ({
    id: `d${n}`,
    tenant: 'acme',
    subject: `u:${n}`,
    session: 's',
    placement,
    startedBy: { kind: 'trigger', trigger: 'on_view', event: `e${n}`, eventType: 'view' },
    time: n,
    simulated: false,
    log: { partition: 0, position: n },
    features: Object.fromEntries(featureNames.map((name) => [name, random() * 100])),
    event: { price: 10 },
    context: null,
    receivedAt: n,
    workspace: workspace.hash,
    stopped: false,
    featuresMs: 0,
  }));
}

interface Measured {
  readonly perSecond: number;
  readonly rungs: ReadonlyMap<string, number>;
}

async function measure(hasModel: boolean, block: number): Promise<Measured[]> {
  const workspace = await writeSetUp(join(folder, `${hasModel}-${block}`), { hasModel, block });
  const scorers = await loadScorers(workspace, {
    clock: systemClock,
    logger: quietLogger((message) => {
      throw new Error(message);
    }),
    metrics: scorerMetrics(new Registry()),
  });
  const questions = questionsOf(workspace, decisions);
  const available = questions[0]?.placement.actions.map((_, n) => n) ?? [];
  const resolution = { slots: [{ chosen: 0, available }], capsSeen: [] };
  const results: Measured[] = [];
  for (let round = 0; round <= rounds; round++) {
    const rungs = new Map<string, number>();
    const before = process.cpuUsage();
    for (let from = 0; from < questions.length; from += batch) {
      const drafts = await decideAll(questions.slice(from, from + batch), {
        scorers,
        scoringBudgetMs: 60_000,
        clock: systemClock,
      });
      for (const { record, choices } of drafts) {
        const { rung } = finishDecision(record, choices, resolution);
        rungs.set(rung, (rungs.get(rung) ?? 0) + 1);
      }
    }
    const { user, system } = process.cpuUsage(before);
    // The first is for the compiler.
    if (round > 0) results.push({ perSecond: (decisions / (user + system)) * 1e6, rungs });
  }
  await scorers.close();
  return results;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

try {
  const rows: string[] = [];
  let best = 0;
  for (const [hasModel, block] of [
    [false, 20],
    [true, 20],
    [true, 32],
    [true, 64],
    [true, 256],
  ] as const) {
    const measured = await measure(hasModel, block);
    const rates = measured.map(({ perSecond }) => perSecond);
    if (hasModel) best = Math.max(best, median(rates));
    const rungs = [...(measured[0]?.rungs ?? [])].map(([rung, count]) => `${rung} ${count}`).join(', ');
    const show = (rate: number): string => Math.round(rate).toLocaleString('en-US');
    rows.push(
      `| ${hasModel ? block : 'no model'} | ${show(median(rates))} | ${show(Math.min(...rates))} to ${show(Math.max(...rates))} | ${rungs} |`,
    );
  }
  const text = [
    `${decisions.toLocaleString('en-US')} decisions a run, ${rounds} runs after one for the compiler, in batches of ${batch}. ${setUp.candidates} candidates, ${setUp.features} features, ${setUp.trees} trees of ${2 ** setUp.depth} leaves. From questions to finished records, by CPU time of the whole process; without features, commit and JSON.`,
    '',
    '| rows a block | decisions a CPU-second, median | lowest to highest | rungs |',
    '|---|---|---|---|',
    ...rows,
    '',
    verdict({
      what: 'the first set-up with the model, its best block',
      value: best / 1_000,
      target: 25,
      least: 15,
      unit: ' thousand decisions/s a core',
      better: 'higher',
    }),
    '',
    trust(),
    '',
    circumstances('not used'),
  ].join('\n');
  publish('decide-model', text, !options.print);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
