import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import { leastLabels, type RightCalibration, rightCalibration } from '../../schemas/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { calibrationOf, type RightLabels, rightLabels } from '../training/right-labels.ts';
import { connect } from './connect.ts';
import { type Context, type SharedOptions, withShared } from './context.ts';

interface CalibrateOptions extends SharedOptions {
  readonly tenant?: string;
  readonly includeSimulated?: boolean;
  readonly out?: string;
  readonly data?: string;
}

export function calibrateCommand(program: Command, context: Context): void {
  withShared(program.command('calibrate <action>'))
    .description('learn from what people said of an action how sure its gate can be')
    .option('-t, --tenant <name>', 'whose decisions (default: the first tenant)')
    .option('--include-simulated', 'learn from simulated visitors too')
    .option('--out <file>', 'the file to write (default: gates/<action>.json in the workspace)')
    .option('--data <dir>', 'data folder, when no instance is running')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx presage calibrate refund\n\nNothing that serves is changed: name the file in presage.yaml (gate: { calibration: gates/refund.json }), then npx presage apply.',
    )
    .action((action: string, options: CalibrateOptions) => run(action, options, context));
}

async function run(action: string, options: CalibrateOptions, context: Context): Promise<void> {
  const { ask, folder, close } = await connect(options, context);
  try {
    const workspace = await loadWorkspace(folder);
    const tenant = options.tenant ?? [...workspace.tenants.keys()][0] ?? '';
    if (!workspace.tenants.has(tenant))
      throw new PresageError('unknown_tenant', `The workspace has no tenant "${tenant}".`);
    const gated = [...workspace.placements.values()]
      .flatMap(({ actions }) => actions)
      .filter(({ gate }) => gate !== null);
    const found = gated.find(({ name }) => name === action);
    if (found?.gate == null)
      throw new PresageError(
        'usage',
        `"${action}" is no action with a gate; those are: ${[...new Set(gated.map(({ name }) => name))].join(', ') || 'none'}.`,
      );
    const labels = await rightLabels(ask, {
      action,
      tenant,
      withSimulated: options.includeSimulated === true,
    });
    if (labels.labels.length === 0)
      throw new PresageError(
        'too_few_labels',
        `Nobody has said anything of "${action}" yet that is three days old: ${labels.leftOut.immature} verdicts are younger.`,
      );
    const calibration = rightCalibration.parse(calibrationOf(action, labels));
    const path = options.out ?? join(folder, 'gates', `${action}.json`);
    await mkdir(dirname(path), { recursive: true });
    const fresh = `${path}.${process.pid}`;
    await writeFile(fresh, `${JSON.stringify(calibration, null, 2)}\n`);
    await rename(fresh, path);
    const file = relative(folder, path);
    context.out(
      options.json
        ? JSON.stringify({ file, ...calibration, leftOut: labels.leftOut })
        : reportOf(file, calibration, labels, found.gate.threshold),
    );
  } finally {
    await close();
  }
}

function reportOf(
  file: string,
  { action, labels, model, x, y }: RightCalibration,
  { labels: rows, leftOut }: RightLabels,
  threshold: number,
): string {
  const right = rows.filter(({ isRight }) => isRight).length;
  const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
  return [
    `${action}: ${labels} labels, ${right} right, of ${model === null ? 'rules' : `model ${model.slice(0, 12)}`}`,
    `Left out: ${leftOut.immature} not mature yet, ${leftOut.otherModel} of other models`,
    '',
    'accepted with    right with',
    ...x.map((score, at) => {
      const sure = y[at] ?? 0;
      return `${percent(score).padStart(13)}  ${percent(sure).padStart(12)}${sure >= threshold ? '  passes' : ''}`;
    }),
    '',
    ...(labels < leastLabels
      ? [`Fewer than ${leastLabels} labels: the gate stays shut until there are as many.`]
      : []),
    `Written to ${file}. Name it in presage.yaml (gate: { calibration: ${file} }), then npx presage apply.`,
  ].join('\n');
}
