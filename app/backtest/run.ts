import { resolve } from 'node:path';
import { PresageError } from '../../core/index.ts';
import {
  type Backtest,
  backtest,
  compareLearned,
  type DecisionLog,
  type Expected,
  expectedOfRows,
  expectedOfTable,
  loggedPolicy,
  type Policy,
  policyOfRows,
  policyOfTable,
} from '../../replay/index.ts';
import { connect } from '../commands/connect.ts';
import type { Context } from '../commands/context.ts';
import { loadRowMap } from '../feed/index.ts';
import type { BacktestCommandOptions } from './options.ts';
import { readOwnDecisions } from './own-decisions.ts';
import { loadPolicy, loadTable, type PolicyFile, type PolicyOfDecision } from './policy-file.ts';
import { type ReadLog, readLog } from './read-log.ts';
import { renderBacktest } from './render.ts';
import { renderLearned } from './render-learned.ts';

const level = 0.95;
const mapForm = '(row, source) => decision, decisions or nothing';

/** A log with what it is called, and what is to be known of it besides its numbers. */
interface Source extends ReadLog {
  readonly name: string;
  readonly notes: readonly string[];
}

export async function runBacktest(options: BacktestCommandOptions, context: Context): Promise<void> {
  if (options.learn && (options.against === undefined || options.policy !== undefined))
    throw new PresageError(
      'usage',
      '--learn makes the policy itself (no --policy), and compares it with --against ACTION.',
    );
  const file = options.policy === undefined ? null : await loadPolicy(options.policy);
  const source = await sourceOf(options, file?.kind === 'function' ? file.of : null, context);
  const { name, read, rejected, firstRejects } = source;
  const shared = { resamples: options.resamples, seed: options.seed, level };
  const head = { log: name, read, rejected };
  if (options.learn) {
    const report = compareLearned(source.log, {
      ...shared,
      against: options.against ?? '',
      splits: options.splits,
    });
    context.out(options.json ? JSON.stringify({ ...head, ...report }) : renderLearned(report, name, level));
  } else {
    const policy = policyOf(source.log, file, options.policy ?? 'the policy of the map');
    const report = backtest(source.log, policy, {
      ...shared,
      assumption: options.assume,
      clip: options.clip ?? null,
      expected: await expectedRewards(source.log, policy, options.expected),
    });
    const told = withWarnings(report, source, policy);
    context.out(options.json ? JSON.stringify({ ...head, ...told }) : renderBacktest(told, name, level));
  }
  for (const { row, problem } of firstRejects) context.err(`rejected: ${name} row ${row}: ${problem}`);
}

async function sourceOf(
  options: BacktestCommandOptions,
  policy: PolicyOfDecision | null,
  context: Context,
): Promise<Source> {
  const { log, map, decisions, placement } = options;
  if (decisions && placement !== undefined && log === undefined && map === undefined) {
    const store = await connect(options, context);
    try {
      const own = await readOwnDecisions(
        store.ask,
        {
          placement,
          tenant: options.tenant ?? null,
          outcome: options.outcome,
          before: Date.now() - options.olderThan,
          withSimulated: options.withSimulated === true,
        },
        policy,
      );
      return { ...own, name: `the decisions of ${placement}` };
    } finally {
      await store.close();
    }
  }
  if (decisions || log === undefined || map === undefined)
    throw new PresageError(
      'usage',
      'Which decisions? --log FILE with --map MODULE.mjs, or those of this engine: --decisions with --placement NAME.',
    );
  return { ...(await readLog(log, await loadRowMap(resolve(map), mapForm), policy)), name: log, notes: [] };
}

function policyOf(log: DecisionLog, file: PolicyFile | null, name: string): Policy {
  if (file?.kind === 'table') return policyOfTable(file.table, log, name);
  return log.policy === null ? loggedPolicy(log) : policyOfRows(log.policy, name);
}

async function expectedRewards(log: DecisionLog, policy: Policy, file?: string): Promise<Expected | null> {
  if (file === undefined) return expectedOfRows(log, policy);
  return expectedOfTable(log, policy, await loadTable(file, 'expected rewards'), file);
}

/** What is known of the log besides the numbers. */
function withWarnings(report: Backtest, { log, rejected, read, notes }: Source, policy: Policy): Backtest {
  const warnings = [...report.warnings, ...notes];
  if (rejected > 0)
    warnings.push(
      `rows: ${rejected} of ${read} are no decisions and were left out; if that has to do with rewards, estimates are off`,
    );
  if (policy.isOfLog)
    warnings.push('policy: none was named (--policy), so this is the value of the policy that made the log');
  if (log.contexts.leftOut > 0)
    warnings.push(
      `context: ${log.contexts.leftOut} values beyond the first 4,096 columns were left out of the model; perhaps one is an id`,
    );
  return { ...report, warnings };
}
