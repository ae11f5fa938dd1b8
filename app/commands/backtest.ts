import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PresageError } from '../../core/index.ts';
import {
  type Assumption,
  assumptions,
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
import { loadPolicy, loadTable, type PolicyFile } from '../backtest/policy-file.ts';
import { type ReadLog, readLog } from '../backtest/read-log.ts';
import { renderBacktest } from '../backtest/render.ts';
import { renderLearned } from '../backtest/render-learned.ts';
import { loadRowMap } from '../feed/index.ts';
import type { Context } from './context.ts';

interface BacktestCommandOptions {
  readonly log: string;
  readonly map: string;
  readonly policy?: string;
  readonly expected?: string;
  readonly assume: Assumption;
  readonly clip?: number;
  readonly resamples: number;
  readonly seed: number;
  readonly learn?: boolean;
  readonly against?: string;
  readonly splits: number;
  readonly json?: boolean;
}

const level = 0.95;
const mapForm = '(row, source) => decision, decisions or nothing';

export function backtestCommand(program: Command, context: Context): void {
  program
    .command('backtest')
    .description("estimate a policy's value from logged decisions and their propensities")
    .requiredOption('--log <file>', 'decisions: CSV, JSON lines, gzip; - for standard input')
    .requiredOption('-m, --map <module>', 'turns a row into a decision: { action, propensity, reward, ... }')
    .option('--policy <file>', 'JSON (positions x items, or by action) or a module; default: as the map says')
    .option('--expected <file>', 'JSON of expected rewards, instead of a model of the log')
    .addOption(
      new Option('--assume <what>', 'what a reward may depend on in a slate')
        .choices([...assumptions])
        .default('independent'),
    )
    .option(
      '--clip <n>',
      'largest weight of the clipped estimates (default: the root of their number)',
      positive,
    )
    .option('--resamples <n>', 'of the bootstrap', whole, 1_000)
    .option('--seed <n>', 'of resamples and folds', whole, 1)
    .option(
      '--learn',
      'learn a policy on one half of the log and compare it on the other, instead of --policy',
    )
    .option('--against <action>', 'with --learn: the action that is otherwise always taken')
    .option('--splits <n>', 'with --learn: how often the halves are dealt', whole, 20)
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage backtest --log random_men.csv.gz --map examples/obd/map.mjs --policy dist.json\n  $ npx presage backtest --log log.jsonl --map map.mjs --policy policy.mjs --json\n  $ npx presage backtest --log hillstrom.csv.gz --map examples/hillstrom/net.mjs --learn --against "Mens E-Mail"\n\nEstimates are printed whether or not a policy is recommended for them, and the exit code is 0.',
    )
    .action((options: BacktestCommandOptions) => run(options, context));
}

async function run(options: BacktestCommandOptions, context: Context): Promise<void> {
  if (options.learn) return learn(options, context);
  const map = await loadRowMap(resolve(options.map), mapForm);
  const file = options.policy === undefined ? null : await loadPolicy(options.policy);
  const read = await readLog(options.log, map, file?.kind === 'function' ? file.of : null);
  const policy = policyOf(read.log, file, options.policy ?? 'the policy of the map');
  const report = backtest(read.log, policy, {
    assumption: options.assume,
    clip: options.clip ?? null,
    resamples: options.resamples,
    seed: options.seed,
    level,
    expected: await expectedRewards(read.log, policy, options.expected),
  });
  const told = withWarnings(report, read, policy);
  context.out(
    options.json
      ? JSON.stringify({ log: options.log, read: read.read, rejected: read.rejected, ...told })
      : renderBacktest(told, options.log, level),
  );
  tellRejected(read, options, context);
}

async function learn(options: BacktestCommandOptions, context: Context): Promise<void> {
  if (options.against === undefined || options.policy !== undefined)
    throw new PresageError(
      'usage',
      '--learn makes the policy itself (no --policy), and compares it with --against ACTION.',
    );
  const map = await loadRowMap(resolve(options.map), mapForm);
  const read = await readLog(options.log, map, null);
  const report = compareLearned(read.log, {
    against: options.against,
    splits: options.splits,
    resamples: options.resamples,
    seed: options.seed,
    level,
  });
  context.out(
    options.json
      ? JSON.stringify({ log: options.log, read: read.read, rejected: read.rejected, ...report })
      : renderLearned(report, options.log, level),
  );
  tellRejected(read, options, context);
}

function tellRejected(read: ReadLog, { log }: BacktestCommandOptions, context: Context): void {
  for (const { row, problem } of read.firstRejects) context.err(`rejected: ${log} row ${row}: ${problem}`);
}

function policyOf(log: DecisionLog, file: PolicyFile | null, name: string): Policy {
  if (file?.kind === 'table') return policyOfTable(file.table, log, name);
  return log.policy === null ? loggedPolicy(log) : policyOfRows(log.policy, name);
}

async function expectedRewards(log: DecisionLog, policy: Policy, file?: string): Promise<Expected | null> {
  if (file === undefined) return expectedOfRows(log, policy);
  return expectedOfTable(log, policy, await loadTable(file, 'expected rewards'), file);
}

/** What is known of the file besides the numbers. */
function withWarnings(report: Backtest, { log, rejected, read }: ReadLog, policy: Policy): Backtest {
  const warnings = [...report.warnings];
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

function positive(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new PresageError('usage', `expected a number above 0, got "${text}".`);
}

function whole(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= 1_000_000) return number;
  throw new PresageError('usage', `expected a whole number from 1 to 1,000,000, got "${text}".`);
}
