import { randomBytes } from 'node:crypto';
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

/** The workspace of W1, with the number of remembered event ids changed where PRESAGE_BENCH_IDS says so. */
export async function w1Workspace(): Promise<CompiledWorkspace> {
  const workspace = await loadWorkspace(fileURLToPath(new URL('.', import.meta.url)));
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
  /** Settles when so many records are committed, or the worker could not go on. */
  readonly done: Promise<{ batches: number }>;
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

/** The product's own worker, wired as app/ does. */
export async function benchWorker(
  log: EventLog,
  redisUrl: string,
  records: number,
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
  let left = records;
  let batches = 0;
  let finish: (value: { batches: number }) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const done = new Promise<{ batches: number }>((resolve, reject) => {
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
      left -= batch.records;
      if (left <= 0) finish({ batches });
    },
  };
  return { role: makeWorker(parts), parts, store, done };
}
