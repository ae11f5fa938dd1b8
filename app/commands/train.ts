import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import { formatDuration, loadWorkspace } from '../../workspace/index.ts';
import { labelledRows, longestWindowMs } from '../training/labelled.ts';
import { pythonTrainer } from '../training/python/environment.ts';
import { trainingReport } from '../training/report.ts';
import { specOf } from '../training/spec.ts';
import { train } from '../training/train.ts';
import { writeModel } from '../training/write.ts';
import { connect } from './connect.ts';
import { type Context, type SharedOptions, withShared } from './context.ts';

interface TrainCommandOptions extends SharedOptions {
  readonly trainer: 'ftrl' | 'lightgbm';
  readonly placement?: string;
  readonly tenant?: string;
  readonly metric: string;
  readonly includeSimulated?: boolean;
  readonly calibration: 'platt' | 'isotonic' | 'none';
  readonly seed: number;
  readonly out?: string;
  readonly data?: string;
}

export function trainCommand(program: Command, context: Context): void {
  withShared(program.command('train <model>'))
    .description('fit a model on what was shown and what came of it, and write it beside the workspace')
    .option(
      '--trainer <name>',
      'ftrl (built in) or lightgbm (needs Python 3.11)',
      oneOf('--trainer', ['ftrl', 'lightgbm']),
      'ftrl',
    )
    .option('--placement <name>', 'where it decides, for a model that the workspace has not got yet')
    .option('-t, --tenant <name>', 'whose decisions (default: the first tenant)')
    .option(
      '--metric <name>',
      'what it predicts: accepted, converted or a metric of the workspace',
      'accepted',
    )
    .option('--include-simulated', 'learn from simulated visitors too')
    .option(
      '--calibration <kind>',
      'platt, isotonic or none',
      oneOf('--calibration', ['platt', 'isotonic', 'none']),
      'platt',
    )
    .option('--seed <n>', 'the same seed and decisions, the same model', parseSeed, 1)
    .option('--out <file>', 'the ONNX file to write (default: models/<model>.trained.onnx in the workspace)')
    .option('--data <dir>', 'data folder, when no instance is running')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage train accept\n  $ npx presage train accept --trainer lightgbm\n  $ npx presage train first --placement home_banner\n\nNothing that serves is changed: name the file in presage.yaml, then npx presage apply.',
    )
    .action((model: string, options: TrainCommandOptions) => run(model, options, context));
}

async function run(id: string, options: TrainCommandOptions, context: Context): Promise<void> {
  const { ask, folder, close } = await connect(options, context);
  try {
    const workspace = await loadWorkspace(folder);
    const tenant = options.tenant ?? [...workspace.tenants.keys()][0] ?? '';
    if (!workspace.tenants.has(tenant))
      throw new PresageError('unknown_tenant', `The workspace has no tenant "${tenant}".`);
    const path = options.out ?? join(folder, 'models', `${id}.trained.onnx`);
    if (!path.endsWith('.onnx'))
      throw new PresageError('usage', `--out: expected a file that ends in .onnx, got "${path}".`);
    const spec = specOf(workspace, id, options.placement);
    const now = Date.now();
    const labelled = await labelledRows(ask, workspace, {
      ...{ tenant, placements: spec.placements, metric: options.metric, now },
      withSimulated: options.includeSimulated === true,
    });
    const python =
      options.trainer === 'lightgbm'
        ? await pythonTrainer(join(context.environment.stateFolder, 'python'), context.err)
        : undefined;
    const { calibration, metric, seed } = options;
    const trained = await train({
      ...{ spec, metric, calibration, seed, now },
      longestWindow: formatDuration(longestWindowMs(workspace.outcomes)),
      ...{ rows: labelled.rows, leftOut: labelled.leftOut },
      ...(python === undefined ? {} : { python }),
    });
    const furthest = await writeModel(path, trained);
    const told = { labelled, trained, furthest, path, file: relative(folder, path), metric };
    context.out(options.json ? JSON.stringify(asJson(told)) : trainingReport(told));
  } finally {
    await close();
  }
}

function asJson({ labelled, trained, furthest, path }: Parameters<typeof trainingReport>[0]) {
  const { leftOut, otherWorkspace } = labelled;
  const { manifest, parts, unknownActions } = trained;
  return { path, manifest, parts, leftOut, otherWorkspace, unknownActions, parity: furthest };
}

function oneOf(option: string, names: readonly string[]): (text: string) => string {
  return (text) => {
    if (names.includes(text)) return text;
    throw new PresageError('usage', `${option}: expected ${names.join(' or ')}, got "${text}".`);
  };
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31) return seed;
  throw new PresageError('usage', `--seed: expected a whole number from 0 to 2147483647, got "${text}".`);
}
