import { type Command, Option } from 'commander';
import { assumptions } from '../../replay/index.ts';
import { outcomeNames } from '../../schemas/index.ts';
import { type BacktestCommandOptions, parseAge, parsePositive, parseWhole } from '../backtest/options.ts';
import { runBacktest } from '../backtest/run.ts';
import { type Context, withShared } from './context.ts';

const day = 86_400_000;

export function backtestCommand(program: Command, context: Context): void {
  withShared(program.command('backtest'))
    .description("estimate a policy's value from logged decisions and their propensities")
    .option('--log <file>', 'decisions: CSV, JSON lines, gzip; - for standard input')
    .option('-m, --map <module>', 'turns a row into a decision: { action, propensity, reward, ... }')
    .option('--decisions', "this engine's own decisions instead of a file")
    .option('--placement <name>', 'with --decisions: of this placement')
    .option('-t, --tenant <name>', 'with --decisions: only of this tenant')
    .addOption(
      new Option('--outcome <name>', 'with --decisions: what is rewarded')
        .choices([...outcomeNames])
        .default('accepted'),
    )
    .option('--older-than <age>', 'with --decisions: younger ones may still be answered', parseAge, day)
    .option('--with-simulated', 'with --decisions: those of simulated visitors, too')
    .option('--data <dir>', 'with --decisions: data folder, when no instance is running')
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
      parsePositive,
    )
    .option('--resamples <n>', 'of the bootstrap', parseWhole, 1_000)
    .option('--seed <n>', 'of resamples and folds', parseWhole, 1)
    .option(
      '--learn',
      'learn a policy on one half of the log and compare it on the other, instead of --policy',
    )
    .option('--against <action>', 'with --learn: the action that is otherwise always taken')
    .option('--splits <n>', 'with --learn: how often the halves are dealt', parseWhole, 20)
    .addHelpText('after', examples)
    .action((options: BacktestCommandOptions) => runBacktest(options, context));
}

const examples = `
Examples:
  $ npx presage backtest --log random_men.csv.gz --map examples/obd/map.mjs --policy dist.json
  $ npx presage backtest --log log.jsonl --map map.mjs --policy policy.mjs --json
  $ npx presage backtest --log hillstrom.csv.gz --map examples/hillstrom/net.mjs --learn --against "Mens E-Mail"
  $ npx presage backtest --decisions --placement home-banner --policy policy.mjs

Estimates are printed whether or not a policy is recommended for them, and the exit code is 0.`;
