import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { contentId, PresageError } from '../../core/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { exitCodes } from '../exit.ts';
import {
  type FeedPlan,
  type FeedProgress,
  type FeedSource,
  type FeedTotals,
  fileSource,
  isAccountedFor,
  loadRowMap,
  planFeed,
  readProgress,
  renderProgress,
  renderTotals,
  rowIsEvent,
  sendEvents,
  spoolSource,
  writeProgress,
} from '../feed/index.ts';
import { checkWorkspace, clientOf, type InstanceClient } from '../instance/client.ts';
import { findInstance, type InstanceFile } from '../instance/registry.ts';
import { dataFolderPath, type StartedInstance, startInstance } from '../start/index.ts';
import { type Context, folderOf, type SharedOptions, withShared } from './context.ts';

interface FeedOptions extends SharedOptions {
  readonly map?: string;
  readonly tenant?: string;
  readonly rate: number | 'max';
  readonly order: 'time' | 'file';
  readonly format?: 'csv' | 'jsonl';
  readonly data?: string;
  readonly sortMemory: number;
  readonly sortDisk: number;
}

interface FeedStatus {
  readonly passed: boolean;
  readonly totals: Pick<FeedTotals, 'new' | 'duplicate' | 'dead' | 'again' | 'late'> | null;
}

const megabyte = 1024 * 1024;

/** A killed instance is restarted by whoever runs it; a feed waits so long for it. */
const patienceMs = 120_000;
const settleMs = 600_000;

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

/** null = it was interrupted. */
async function feedFile(
  source: FeedSource,
  name: string,
  options: FeedOptions,
  context: Context,
  signal: AbortSignal,
): Promise<FeedTotals | null> {
  const first = await connect(options, context);
  const workspace = await loadWorkspace(first.instance.workspace);
  const tenant = tenantOf(options, workspace.source.feed.tenant, [...workspace.tenants.keys()]);
  const mapPath = options.map
    ? resolve(options.map)
    : workspace.source.feed.map
      ? resolve(workspace.folder, workspace.source.feed.map)
      : null;
  const plan = await planFeed(source, {
    name,
    map: mapPath ? await loadRowMap(mapPath) : rowIsEvent,
    order: options.order,
    format: options.format ?? null,
    sort: {
      folder: join(first.instance.data, 'tmp'),
      memoryBytes: options.sortMemory * megabyte,
      diskBytes: options.sortDisk * megabyte,
      fanIn: 64,
    },
    signal,
  });
  if (plan === null) return null;
  try {
    return await feedPlan(
      plan,
      { name, tenant, mapPath, data: first.instance.data },
      options,
      context,
      signal,
    );
  } finally {
    await plan.close();
  }
}

interface Destination {
  readonly name: string;
  readonly tenant: string;
  readonly mapPath: string | null;
  /** The instance's data folder. */
  readonly data: string;
}

/** Sends what is planned, from where an interrupted feed stopped, and waits for what became of it. null = interrupted. */
async function feedPlan(
  plan: FeedPlan,
  { name, tenant, mapPath, data }: Destination,
  options: FeedOptions,
  context: Context,
  signal: AbortSignal,
): Promise<FeedTotals | null> {
  const progressFile = join(
    data,
    'feeds',
    `${contentId(plan.fileHash, tenant, options.order, mapPath ?? '')}.json`,
  );
  const known = await readProgress(progressFile);
  const resumed = known !== null && !known.finished && known.sent <= plan.events ? known : null;
  const start: FeedProgress = resumed ?? {
    run: contentId('run', plan.fileHash, String(Date.now()), String(process.pid)),
    sent: 0,
    finished: false,
    rejected: [],
    rejectedCount: 0,
    offsets: {},
  };
  if (resumed)
    context.err(
      `Going on with an interrupted feed: ${start.sent.toLocaleString('en-US')} events were taken already.`,
    );

  const begunAt = Date.now();
  const show = progressPrinter(context, options, plan.events, plan.rejectedCount, start.sent);
  const sent = await sendEvents(plan, start, {
    tenant,
    source: `feed:${start.run}`,
    rate: options.rate === 'max' ? null : options.rate,
    signal,
    connect: () => connect(options, context),
    onProgress: async (progress) => {
      await writeProgress(progressFile, progress);
      show(progress);
    },
    pause: (ms) => pause(ms),
    now: Date.now,
    patienceMs,
  });
  if (sent.sent < plan.events) return null;
  const status = await settled(sent, options, context, signal);
  if (status === null) return null;
  await writeProgress(progressFile, { ...sent, finished: true });
  for (const reject of [...plan.rejects, ...sent.rejected].slice(0, 10)) {
    context.err(`rejected: ${name} row ${reject.row + 1}: ${reject.code}: ${reject.message}`);
  }
  const rejected = plan.rejectedCount + sent.rejectedCount;
  return {
    rows: plan.rows,
    sent: plan.events + plan.rejectedCount,
    ...status,
    // ClickHouse counts ids: one that stands in the file twice is new, or known, once.
    duplicate: status.duplicate + plan.repeats,
    rejected,
    seconds: (Date.now() - begunAt) / 1_000,
  };
}

/** Waits until worker and sink have passed the feed's last record, then asks what became of its events. */
async function settled(progress: FeedProgress, options: FeedOptions, context: Context, signal: AbortSignal) {
  const givesUpAt = Date.now() + settleMs;
  const offsets = Object.entries(progress.offsets)
    .map(([partition, offset]) => `${partition}:${offset}`)
    .join(',');
  while (!signal.aborted) {
    try {
      const client = await connect(options, context);
      const status = await client.get<FeedStatus>(`/api/feed/${progress.run}?offsets=${offsets}`);
      if (status.passed && status.totals !== null) return status.totals;
    } catch (error) {
      if (
        !(error instanceof PresageError) ||
        (!error.retriable && error.code !== 'instance_missing' && error.details.status !== 401)
      )
        throw error;
    }
    if (Date.now() > givesUpAt)
      throw new PresageError(
        'not_settled',
        `Worker and sink did not pass the last record within ${settleMs / 1_000} s; look at /readyz.`,
        { retriable: true },
      );
    await pause(100);
  }
  return null;
}

async function connect(options: FeedOptions, context: Context): Promise<InstanceClient> {
  const instance = await findInstance(context.environment.stateFolder, options.port);
  if (instance === null)
    throw new PresageError('instance_missing', `No Presage is running on port ${options.port}.`, {
      retriable: true,
    });
  checkWorkspace(
    instance,
    options.port,
    options.workspace === undefined ? null : folderOf(options.workspace),
  );
  return clientOf(instance);
}

/** The running one or null; throws `workspace_mismatch` when it runs another workspace than the one named. */
async function runningInstance(options: FeedOptions, context: Context): Promise<InstanceFile | null> {
  const instance = await findInstance(context.environment.stateFolder, options.port);
  if (instance === null) return null;
  checkWorkspace(
    instance,
    options.port,
    options.workspace === undefined ? null : folderOf(options.workspace),
  );
  return instance;
}

/** The running instance's data folder, or the one that an instance started here will have. */
async function dataFolderOf(running: InstanceFile | null, options: FeedOptions): Promise<string> {
  if (running !== null) return running.data;
  const workspace = folderOf(options.workspace);
  // A folder that isn't a workspace shall not get data of ours.
  await loadWorkspace(workspace);
  return dataFolderPath(workspace, options.data ?? null);
}

function startOwn(options: FeedOptions, context: Context): Promise<StartedInstance> {
  const workspace = folderOf(options.workspace);
  context.err(
    `No Presage is running on port ${options.port}: starting one for ${workspace} while the feed lasts.`,
  );
  return startInstance({
    workspace,
    data: options.data ?? null,
    port: options.port,
    environment: context.environment,
    yes: false,
    simulate: false,
    say: context.err,
  });
}

function tenantOf(options: FeedOptions, declared: string | undefined, tenants: readonly string[]): string {
  const tenant = options.tenant ?? declared ?? (tenants.length === 1 ? tenants[0] : undefined);
  if (tenant === undefined)
    throw new PresageError('usage', `Whose events are these? Name one with --tenant: ${tenants.join(', ')}.`);
  if (!tenants.includes(tenant))
    throw new PresageError(
      'unknown_tenant',
      `Tenant "${tenant}" is not in the workspace; it has: ${tenants.join(', ')}.`,
    );
  return tenant;
}

const linesEveryMs = 2_000;

function progressPrinter(
  context: Context,
  options: FeedOptions,
  total: number,
  rejects: number,
  alreadySent: number,
) {
  const { isTerminal } = context.environment;
  const begunAt = Date.now();
  let shownAt = begunAt;
  return (progress: FeedProgress): void => {
    if (options.json) return;
    const now = Date.now();
    const isLast = progress.sent >= total;
    if (!isTerminal && now - shownAt < linesEveryMs && !isLast) return;
    shownAt = now;
    const perSecond = ((progress.sent - alreadySent) / Math.max(1, now - begunAt)) * 1_000;
    const line = renderProgress(
      { sent: progress.sent, total, rejected: rejects + progress.rejectedCount, perSecond },
      isTerminal,
    );
    if (isTerminal) process.stderr.write(`\r\x1b[2K${line}${isLast ? '\n' : ''}`);
    else context.err(line);
  };
}

function parseRate(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const rate = Number(text);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new PresageError('usage', `--rate: expected a number of events per second, or max, got "${text}".`);
}

function parseMegabytes(text: string): number {
  const megabytes = Number(text);
  if (Number.isFinite(megabytes) && megabytes > 0) return megabytes;
  throw new PresageError('usage', `expected a number of megabytes, got "${text}".`);
}
