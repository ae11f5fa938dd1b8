import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { exitCodes } from '../exit.ts';
import { fileSource, isAccountedFor, renderTotals, spoolSource } from '../feed/index.ts';
import type { StartedInstance } from '../start/index.ts';
import { type Context, withShared } from './context.ts';
import { dataFolderOf, runningInstance, startOwn } from './feed-instance.ts';
import { type FeedOptions, parseMegabytes, parseRate } from './feed-options.ts';
import { feedFile } from './feed-run.ts';

export function feedCommand(program: Command, context: Context): void {
  withShared(program.command('feed <file>'))
    .description(
      'send a file of events (CSV, JSON lines, gzip; - for standard input) and account for each of them',
    )
    .option(
      '-m, --map <module>',
      "a module that turns one row into zero or more events (default: the workspace's feed.map)",
    )
    .option(
      '-t, --tenant <name>',
      "tenant of the events (default: the workspace's feed.tenant, or its only one)",
    )
    .option('-r, --rate <n|max>', 'events per second', parseRate, 'max')
    .addOption(
      new Option('-o, --order <order>', 'by event time, or as the file stands')
        .choices(['time', 'file'])
        .default('time'),
    )
    .addOption(new Option('--format <format>', 'instead of finding out').choices(['csv', 'jsonl']))
    .option('--data <dir>', 'data folder, if an instance has to be started')
    .option('--sort-memory <MB>', 'memory for sorting; more goes to <data>/tmp', parseMegabytes, 64)
    .option('--sort-disk <MB>', 'most that sorting may take there', parseMegabytes, 20_000)
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage feed events.jsonl\n  $ npx presage feed log.csv.gz --workspace examples/travel\n  $ zcat log.gz | npx presage feed - --format jsonl --rate 500\n\nExit code 4: events that are not accounted for. Run an interrupted feed again to go on.',
    )
    .action((file: string, options: FeedOptions) => feed(file, options, context));
}

async function feed(file: string, options: FeedOptions, context: Context): Promise<void> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const running = await runningInstance(options, context);
  // Before an instance is started here: the embedded ClickHouse would take piped input for rows of its own inserts.
  const source =
    file === '-'
      ? await spoolSource(process.stdin, join(await dataFolderOf(running, options), 'tmp'))
      : fileSource(resolve(file));
  let own: StartedInstance | null = null;
  try {
    if (running === null) own = await startOwn(options, context);
    const totals = await feedFile(source, file, options, context, interrupted.signal);
    if (totals === null) {
      context.err('Interrupted. Run the same command again to go on where it stopped.');
      context.setExitCode(exitCodes.interrupted);
      return;
    }
    context.out(options.json ? JSON.stringify(totals) : renderTotals(totals));
    if (!isAccountedFor(totals)) context.setExitCode(exitCodes.unaccounted);
    else if (totals.rejected === totals.sent) context.setExitCode(exitCodes.usage);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    await source.close();
    await own?.stop();
  }
}
