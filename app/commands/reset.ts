import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import { logTopic } from '../../stream/log/index.ts';
import type { Environment } from '../environment.ts';
import { checkWorkspace, clientOf } from '../instance/client.ts';
import { findInstance } from '../instance/registry.ts';
import { startInstance } from '../start/index.ts';
import { type Context, folderOf, type SharedOptions, withShared } from './context.ts';

interface ResetOptions extends SharedOptions {
  readonly demo?: boolean;
  readonly yes?: boolean;
  readonly data?: string;
}

export function resetCommand(program: Command, context: Context): void {
  withShared(program.command('reset'))
    .description('remove simulated data (--demo), or everything')
    .option('--demo', 'stop the simulated shoppers and remove their data everywhere')
    .option('-d, --data <dir>', 'data folder, when no instance is running')
    .option('-y, --yes', 'really remove everything')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage reset --demo\n  $ npx presage reset --yes --workspace examples/travel',
    )
    .action(async (options: ResetOptions) => {
      const removed = options.demo ? await resetDemo(options, context) : await resetAll(options, context);
      context.out(options.json ? JSON.stringify(removed) : sentenceOf(removed));
    });
}

type Removed =
  | { readonly what: 'demo'; readonly subjects: number; readonly rows: number }
  | { readonly what: 'all'; readonly folder: string; readonly left: readonly string[] };

const sentenceOf = (removed: Removed): string =>
  removed.what === 'demo'
    ? `Removed ${removed.rows} simulated rows and the state of ${removed.subjects} simulated shoppers.`
    : [`Removed all data in ${removed.folder}.`, ...removed.left].join('\n');

async function resetDemo(options: ResetOptions, context: Context): Promise<Removed> {
  const running = await findInstance(context.environment.stateFolder, options.port);
  if (running !== null) {
    checkWorkspace(
      running,
      options.port,
      options.workspace === undefined ? null : folderOf(options.workspace),
    );
    return {
      what: 'demo',
      ...(await clientOf(running).post<{ subjects: number; rows: number }>('/api/demo/reset', {})),
    };
  }
  const own = await startInstance({
    workspace: folderOf(options.workspace),
    data: options.data ?? null,
    port: 0,
    environment: context.environment,
    yes: false,
    simulate: false,
    say: () => {},
  });
  try {
    return { what: 'demo', ...(await own.resetDemo()) };
  } finally {
    await own.stop();
  }
}

async function resetAll(options: ResetOptions, context: Context): Promise<Removed> {
  const folder = resolve(options.data ?? join(folderOf(options.workspace), '.presage'));
  if (!options.yes)
    throw new PresageError(
      'usage',
      `This removes all events, features, decisions and keys in ${folder}. Say --yes if you mean it; --demo removes simulated data only.`,
    );
  const running = await findInstance(context.environment.stateFolder, options.port);
  if (running !== null && running.data === folder) {
    throw new PresageError(
      'instance_running',
      `Presage is running on port ${options.port} with this data: stop it first.`,
    );
  }
  const entries = await readdir(folder).catch(() => []);
  // Only what Presage itself makes there: a mistyped --data must not empty somebody's folder.
  for (const name of entries.filter((entry) =>
    ['redis', 'clickhouse', 'feeds', 'secrets.json', 'log.json', 'logs'].includes(entry),
  )) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  return { what: 'all', folder, left: leftElsewhere(context.environment) };
}

/** Data that stands outside the folder, which only its owner may remove: a sentence for each. */
export function leftElsewhere({ kafka, redisUrl, clickhouseUrl }: Environment): string[] {
  const left: string[] = [];
  if (kafka !== null) {
    const [topic, brokers] = [logTopic(kafka.prefix, 1), kafka.connection.brokers.join(',')];
    left.push(
      `Kafka at ${brokers} keeps the topic ${topic}: the next start reads all its events again, and decides again. To begin empty: kafka-topics.sh --bootstrap-server ${brokers} --delete --topic ${topic} (and so with its successors, events.v2 and so on, if the partitions have become others)`,
      `Kafka keeps how far each source was read, too: they go on from there. To read one again from its beginning: kafka-consumer-groups.sh --bootstrap-server ${brokers} --delete --group ${kafka.prefix}source.NAME`,
    );
  }
  if (redisUrl !== null)
    left.push(
      'The Redis of REDIS_URL keeps its state: use an empty one, or remove its keys that begin with "presage:" or "{events." yourself.',
    );
  if (clickhouseUrl !== null)
    left.push('The ClickHouse of CLICKHOUSE_URL keeps its tables: drop its database yourself.');
  return left;
}
