import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { systemClock } from '../../app/clock.ts';
import type { Logger, Role } from '../../core/index.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { type CommittedBatch, makeWorker, streamMetrics, type WorkerParts } from '../../stream/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import { redisConnector } from '../../stream/redis/index.ts';
import { redisState, type StateStore } from '../../stream/state/index.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { w1 } from './events.ts';

export const logVersion = 1;

const folder = fileURLToPath(new URL('.', import.meta.url));

/**
 * The workspace of W1: its features and timers. PRESAGE_BENCH_TIMERS=off leaves the timers out, PRESAGE_BENCH_IDS changes
 * the number of remembered event ids.
 */
export async function w1Workspace(): Promise<CompiledWorkspace> {
  const files =
    process.env.PRESAGE_BENCH_TIMERS === 'off' ? ['presage.yaml'] : ['presage.yaml', 'timers.yaml'];
  const parts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const workspace = await loadWorkspace(folder, parts.join(''));
  const ids = Number(process.env.PRESAGE_BENCH_IDS ?? workspace.deduplicationIds);
  return { ...workspace, deduplicationIds: ids };
}

export const stateAt = (url: string): StateStore =>
  redisState({ connector: redisConnector(url), version: logVersion, clock: systemClock });

export interface BenchWorker {
  readonly role: Role;
  /** What it is made of. */
  readonly parts: WorkerParts;
  readonly store: StateStore;
  /** Settles when each partition is committed up to its end, or the worker could not go on. */
  readonly done: Promise<{ batches: number; decisions: number }>;
}

/** A logger that shows warnings (a broker just started is slow to answer), and whose errors end a run. */
export function quietLogger(onTrouble: (message: string) => void): Logger {
  const text = (fields: object, message: string): string => `${message} ${JSON.stringify(fields)}`;
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (fields, message) => console.error(text(fields, message)),
    error: (fields, message) => onTrouble(text(fields, message)),
    child: () => logger,
  };
  return logger;
}

/** The product's own worker, wired as app/ does. `ends`: how many records each partition has. */
export async function benchWorker(
  log: EventLog,
  redisUrl: string,
  ends: readonly number[],
  given: {
    readonly workspace?: CompiledWorkspace;
    readonly registry?: Registry;
    readonly onCommitted?: (batch: CommittedBatch) => void;
  } = {},
): Promise<BenchWorker> {
  const workspace = given.workspace ?? (await w1Workspace());
  const features = makeFeatureSet(workspace);
  const store = stateAt(redisUrl);
  await store.saveLayout(features.layout, features.layoutDescription);
  const left = [...ends];
  let batches = 0;
  let decisions = 0;
  let finish: (value: { batches: number; decisions: number }) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const done = new Promise<{ batches: number; decisions: number }>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const logger = quietLogger((message) => fail(new Error(message)));
  const parts: WorkerParts = {
    workspace,
    features,
    scorers: { get: () => undefined, close: async () => {} },
    clock: systemClock,
    partitions: w1.partitions,
    log,
    store,
    metrics: streamMetrics(given.registry ?? new Registry()),
    logger,
    newId: () => randomBytes(9).toString('base64url'),
    paceMs: 5,
    onCommitted: (batch) => {
      given.onCommitted?.(batch);
      batches++;
      decisions += batch.decisions;
      left[batch.partition] = (left[batch.partition] ?? Number.POSITIVE_INFINITY) - batch.records;
      if (left.length > 0 && left.every((records) => records <= 0)) finish({ batches, decisions });
    },
  };
  return { role: makeWorker(parts), parts, store, done };
}
