import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { PresageError } from '../../core/index.ts';
import type { BuildStatus, Builds } from '../../gateway/index.ts';
import { exitCodes } from '../exit.ts';
import type { InstanceClient } from '../instance/client.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

interface ApplyOptions extends SharedOptions {
  readonly dryRun?: boolean;
}

interface RebuildOptions extends SharedOptions {
  readonly partition?: number;
  readonly from: 'events' | 'log';
}

type Begun = Awaited<ReturnType<Builds['begin']>>;

const lookEveryMs = 500;

export function applyCommand(program: Command, context: Context): void {
  addApply(program.command('apply'), context);
}

/** `apply` under the name that says why one runs it. */
export function addApply(command: Command, context: Context): void {
  withShared(command)
    .description(
      'take the workspace from disk into the running instance: new features get their history, then all change over',
    )
    .option('--dry-run', 'only say what would change')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage apply --dry-run\n  $ npx presage apply\n\nThe old features serve meanwhile. Interrupted, it goes on in the instance; run it again to watch.',
    )
    .action(async (options: ApplyOptions) => {
      const client = await instanceOf(context, options);
      const begun = await client.post<Begun>('/api/builds', {
        kind: 'features',
        dryRun: options.dryRun === true,
      });
      if (!options.json) tell(begun, context);
      const { build } = await client.get<BuildStatus>('/api/builds');
      // In force already, what was before it may still be being deleted.
      if (options.dryRun || (build === null && !begun.begun && !begun.changes.isOther)) {
        if (options.json) context.out(JSON.stringify(begun));
        return;
      }
      await follow(client, begun, options, context);
    });
}

export function rebuildCommand(program: Command, context: Context): void {
  withShared(program.command('rebuild'))
    .description('make the state of all subjects anew, or of one partition, while the one there is serves')
    .option('--partition <n>', 'only this one', parsePartition)
    .addOption(
      new Option('--from <source>', 'the event table and then the log, or the log alone')
        .choices(['events', 'log'])
        .default('events'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage rebuild\n  $ npx presage rebuild --partition 2\n\nA partition that stands still because its position is not in the log any more goes on by itself after it.',
    )
    .action(async (options: RebuildOptions) => {
      const client = await instanceOf(context, options);
      const begun = await client.post<Begun>('/api/builds', {
        kind: 'rebuild',
        partition: options.partition ?? null,
        from: options.from,
      });
      await follow(client, begun, options, context);
    });
}

function tell({ changes }: Begun, context: Context): void {
  if (!changes.isOther) {
    context.out('The workspace on disk is the one that is running.');
    return;
  }
  if (changes.isStateSame) {
    context.out('Only models are others: the state stays as it is.');
    return;
  }
  context.out(`New features: ${changes.added.join(', ') || 'none'}.`);
  if (changes.removed.length > 0) context.out(`No longer there: ${changes.removed.join(', ')}.`);
}

/** Until what is built is in force. */
async function follow(
  client: InstanceClient,
  begun: Begun,
  options: SharedOptions,
  context: Context,
): Promise<void> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop);
  try {
    let shown = '';
    while (!interrupted.signal.aborted) {
      const status = await client.get<BuildStatus>('/api/builds');
      if (status.build === null) {
        const seconds = status.last?.seconds ?? 0;
        context.out(
          options.json
            ? JSON.stringify({ ...begun, last: status.last })
            : `In force everywhere after ${seconds.toFixed(1)} s.`,
        );
        return;
      }
      const line = lineOf(status.build);
      if (!options.json && line !== shown) context.err(line);
      shown = line;
      await pause(lookEveryMs);
    }
    context.err('It goes on in the instance. Run the same command again to watch.');
    context.setExitCode(exitCodes.interrupted);
  } finally {
    process.off('SIGINT', stop);
  }
}

function lineOf({ partitions, generation }: NonNullable<BuildStatus['build']>): string {
  const parts = partitions.map(({ partition, phase, position, end, trouble }) => {
    const share = end === 0 ? 100 : Math.floor((100 * position) / end);
    const where = phase === 'in force' ? 'in force' : `${phase} ${share}%`;
    return `${partition}: ${where}${trouble === null ? '' : ` (${trouble})`}`;
  });
  return `generation ${generation}  ${parts.join('  ')}`;
}

function parsePartition(text: string): number {
  const partition = Number(text);
  if (Number.isInteger(partition) && partition >= 0) return partition;
  throw new PresageError('usage', `--partition: expected a number from 0 on, got "${text}".`);
}
