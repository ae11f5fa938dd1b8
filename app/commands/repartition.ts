import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { PresageError } from '../../core/index.ts';
import type { RepartitionStatus } from '../../gateway/index.ts';
import { exitCodes } from '../exit.ts';
import type { InstanceClient } from '../instance/client.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

interface RepartitionOptions extends SharedOptions {
  readonly partitions?: number;
  readonly cancel?: boolean;
}

const lookEveryMs = 300;

export function repartitionCommand(program: Command, context: Context): void {
  withShared(program.command('repartition'))
    .description('divide log and state into another number of partitions while they serve')
    .option('--partitions <n>', 'how many there are to be', parsePartitions)
    .option('--cancel', 'leave them as they are, while nothing has come of it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage repartition --partitions 8\n  $ npx presage repartition --cancel\n\nProducers wait for some seconds at the end. Interrupted, it goes on in the instance; run it again to watch.',
    )
    .action(async (options: RepartitionOptions) => {
      const { partitions, cancel } = options;
      if ((partitions === undefined) === (cancel === undefined))
        throw new PresageError(
          'usage',
          'Say either --partitions, with how many there are to be, or --cancel.',
        );
      const client = await instanceOf(context, options);
      if (cancel === true) await client.delete<RepartitionStatus>('/api/repartition');
      else await client.post<RepartitionStatus>('/api/repartition', { partitions });
      await follow(client, options, context);
    });
}

async function follow(client: InstanceClient, options: RepartitionOptions, context: Context): Promise<void> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop);
  try {
    let shown = '';
    while (!interrupted.signal.aborted) {
      const { running, last, partitions } = await client.get<RepartitionStatus>('/api/repartition');
      if (running === null) {
        context.out(options.json ? JSON.stringify({ partitions, last }) : doneLine(partitions, last));
        return;
      }
      const line = lineOf(running);
      if (!options.json && line !== shown) context.err(line);
      shown = line;
      await pause(lookEveryMs, undefined, { signal: interrupted.signal }).catch(() => {});
    }
    context.err('It goes on in the instance. Run the same command again to watch.');
    context.setExitCode(exitCodes.interrupted);
  } finally {
    process.off('SIGINT', stop);
  }
}

function lineOf({
  from,
  to,
  phase,
  copied,
  keys,
  trouble,
}: NonNullable<RepartitionStatus['running']>): string {
  const share = keys === 0 ? 100 : Math.floor((100 * copied) / keys);
  const where = phase === 'copying' ? `copying ${share}%` : phase;
  return `${from} -> ${to} partitions: ${where}${trouble === null ? '' : ` (${trouble})`}`;
}

function doneLine(partitions: number, last: RepartitionStatus['last']): string {
  if (last === null) return `There are ${partitions} partitions.`;
  const { seconds, heldMs, topicLeft } = last;
  const left =
    topicLeft === null ? '' : `\nThe topic ${topicLeft} is no longer used; remove it when you like.`;
  return `There are ${partitions} partitions after ${seconds.toFixed(1)} s; producers waited ${(heldMs / 1_000).toFixed(1)} s.${left}`;
}

function parsePartitions(text: string): number {
  const partitions = Number(text);
  if (Number.isInteger(partitions)) return partitions;
  throw new InvalidArgumentError(`expected a whole number, got "${text}".`);
}
