import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { contentId, PresageError } from '../../core/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import {
  type FeedPlan,
  type FeedProgress,
  type FeedSource,
  type FeedTotals,
  loadRowMap,
  planFeed,
  readProgress,
  rowIsEvent,
  sendEvents,
  writeProgress,
} from '../feed/index.ts';
import type { Context } from './context.ts';
import { connect } from './feed-instance.ts';
import type { FeedOptions } from './feed-options.ts';
import { progressPrinter } from './feed-progress.ts';

interface FeedStatus {
  readonly passed: boolean;
  readonly totals: Pick<FeedTotals, 'new' | 'duplicate' | 'dead' | 'again' | 'late'> | null;
}

const megabyte = 1024 * 1024;

/** A killed instance is restarted by whoever runs it; a feed waits so long for it. */
const patienceMs = 120_000;
const settleMs = 600_000;

/** Plans what a file holds and sends it to the running instance. null = it was interrupted. */
export async function feedFile(
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
