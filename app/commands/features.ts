import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import { parseTime } from '../../gateway/index.ts';
import { boundOf } from '../../stream/features/sql/index.ts';
import { type CompiledWorkspace, durationMs, formatDuration, loadWorkspace } from '../../workspace/index.ts';
import { exitCodes } from '../exit.ts';
import { checkParity } from '../parity/check.ts';
import { writeReport } from '../parity/report.ts';
import { addApply } from './builds.ts';
import { connect } from './connect.ts';
import { type Context, type SharedOptions, withShared, workspaceFolder } from './context.ts';

interface ParityCommandOptions extends SharedOptions {
  readonly sample: number;
  readonly since?: string;
  readonly data?: string;
}

export function featuresCommand(program: Command, context: Context): void {
  const features = program
    .command('features')
    .description('what features there are, and whether they are right');
  withShared(features.command('list'))
    .description('all features: kind, window, whether exact')
    .addHelpText('after', '\nExamples:\n  $ npx presage features list --workspace my-shop')
    .action(async (options: SharedOptions) =>
      list(await loadWorkspace(await workspaceFolder(context, options)), options, context),
    );
  addApply(features.command('backfill'), context);
  withShared(features.command('parity'))
    .description(
      'compute features of sampled decisions from events, by SQL, and compare with what was served',
    )
    .option('--sample <n>', 'how many decisions', parseSample, 1_000)
    .option('--since <time>', 'only decisions from this event time on: ISO 8601, or an age such as 2h')
    .option('--data <dir>', 'data folder, when no instance is running')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage features parity\n  $ npx presage features parity --sample 10000 --since 1d --json\n\nExits with 1 where anything differs that should not.',
    )
    .action((options: ParityCommandOptions) => parity(options, context));
}

function list(workspace: CompiledWorkspace, options: SharedOptions, context: Context): void {
  const sharing = new Set(workspace.shared);
  const rows = [...workspace.features, ...workspace.shared].map((feature) => ({
    feature: feature.name,
    shared: sharing.has(feature),
    kind: feature.kind,
    of: feature.types === null ? '*' : [...feature.types].join(', '),
    by: feature.by,
    window: feature.bucketMs === 0 ? null : formatDuration(feature.bucketMs * feature.buckets),
    bucket: feature.bucketMs === 0 ? null : formatDuration(feature.bucketMs),
    bound:
      feature.derived === null
        ? (boundOf(feature)?.why ?? 'exact')
        : `from ${feature.derived.inputs.join(', ')}`,
  }));
  if (options.json) {
    context.out(JSON.stringify(rows));
    return;
  }
  const width = Math.max(7, ...rows.map(({ feature }) => feature.length));
  for (const { feature, shared, kind, window, bucket, by, bound } of rows) {
    const span = window === null ? '' : `${window} in buckets of ${bucket}`;
    const text = `${feature.padEnd(width)}  ${kind.padEnd(10)}  ${span.padEnd(26)}  ${bound}${by === null ? '' : `, by ${by}`}${shared ? ', shared' : ''}`;
    context.out(text.trimEnd());
  }
}

async function parity(options: ParityCommandOptions, context: Context): Promise<void> {
  const since = options.since === undefined ? null : parseSince(options.since, Date.now());
  const { ask, folder, close } = await connect(options, context);
  try {
    const workspace = await loadWorkspace(folder);
    const report = await checkParity({
      workspace,
      ask,
      sample: options.sample,
      since,
      pause: async (ms) => pause(ms),
    });
    if (options.json) context.out(JSON.stringify(report));
    else writeReport(report, context.out);
    if (!report.ok) context.setExitCode(exitCodes.failed);
  } finally {
    await close();
  }
}

function parseSample(text: string): number {
  const sample = Number(text);
  if (Number.isInteger(sample) && sample > 0 && sample <= 1_000_000) return sample;
  throw new PresageError('usage', `--sample: expected a number from 1 to 1000000, got "${text}".`);
}

/** Unix milliseconds; without a zone in UTC, as everywhere. */
function parseSince(text: string, now: number): number {
  if (/^[1-9][0-9]*(ms|s|m|h|d)$/.test(text)) return now - durationMs(text);
  const time = parseTime(text);
  if (Number.isFinite(time)) return time;
  throw new PresageError(
    'usage',
    `--since: "${text}" is neither a time (2026-01-31T12:00:00Z) nor an age (2h).`,
  );
}
