import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Registry } from 'prom-client';
import { loadScorers, scorerMetrics } from '../../../scorers/index.ts';
import { makeFeatureSet } from '../../../stream/features/index.ts';
import { followOutbox } from '../../../stream/follow.ts';
import { makeWorker, readOutboxEntry, streamMetrics } from '../../../stream/index.ts';
import type { EventLog } from '../../../stream/log/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';
import { redisState, type StateStore } from '../../../stream/state/index.ts';
import { loadWorkspace } from '../../../workspace/index.ts';
import { clock, consoleLogger, isCaughtUp, type Life, openLog, readerName } from './life.ts';

/**
 * A stream worker and a reader of its outbox in one process, which kills itself (as `kill -9` does) at a named point:
 * before a commit is sent, while it is on its way, after it was answered; before and after the reader acknowledged
 * what it wrote down. It says `caught up` once everything is processed and read.
 */
const life = JSON.parse(process.argv[2] ?? '{}') as Life;
const logger = consoleLogger();
const workspace = await loadWorkspace(life.workspace);
const connector = redisConnector(life.redis);
const log = await openLog(life, clock, logger);
const store = redisState({ connector, version: 1, clock });
const features = makeFeatureSet(workspace);
const registry = new Registry();
const metrics = streamMetrics(registry);

let left = life.dieAt?.after ?? 0;
const isTime = (point: string): boolean => life.dieAt?.point === point && --left === 0;
const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
};

const mortal: StateStore = {
  ...store,
  async commit(partition, commit) {
    if (isTime('before the commit')) return die();
    const isDuring = isTime('during the commit');
    const sent = store.commit(partition, commit);
    if (isDuring) {
      // Sent, and gone before the answer comes.
      setImmediate(() => void die());
      return sent.then(() => new Promise(() => {}));
    }
    const outcome = await sent;
    if (isTime('after the commit')) return die();
    return outcome;
  },
};

/** Small batches, so that there are many commits to die at. */
const slowly = (whole: EventLog): EventLog => ({
  ...whole,
  // A worker appends nothing but ticks.
  append: async (records, isWayOut) => (life.ticks ? whole.append(records, isWayOut) : []),
  subscribe: (options) =>
    whole.subscribe({
      ...options,
      onAssigned: (reader) =>
        options.onAssigned({
          partition: reader.partition,
          next: (limit, waitMs) => reader.next(Math.min(limit, life.batchRecords), waitMs),
        }),
    }),
});

const worker = makeWorker({
  workspace,
  features,
  scorers: await loadScorers(workspace, { clock, logger, metrics: scorerMetrics(registry) }),
  clock,
  partitions: log.partitions,
  log: slowly(log),
  store: mortal,
  metrics,
  logger,
  newId: () => crypto.randomUUID(),
});

const out = openSync(life.outFile, 'a');
let isStopping = false;

/** Each entry is written down, durably, before it is acknowledged. */
const followers = Array.from({ length: log.partitions }, (_, partition) =>
  followOutbox({
    partition,
    reader: readerName,
    clock,
    logger,
    onLost: () => process.stdout.write(`reader of ${partition} began anew\n`),
    store: {
      ...store,
      async saveReaderState(...position) {
        if (isTime('before the acknowledgement')) await die();
        await store.saveReaderState(...position);
        if (isTime('after the acknowledgement')) await die();
      },
    },
    async handle(entries) {
      for (const stored of entries) {
        const { mark } = stored;
        writeSync(out, `${JSON.stringify({ partition, mark, ...readOutboxEntry(stored) })}\n`);
      }
      fsyncSync(out);
    },
  }),
);

await worker.start();
process.stdout.write('started\n');
process.on('SIGTERM', () => {
  isStopping = true;
});

while (!isStopping) {
  // While Redis or the broker is away there is no answer: asked again.
  if (life.untilDone && (await isCaughtUp(log, store).catch(() => false))) break;
  await new Promise((wake) => setTimeout(wake, 20));
}
isStopping = true;
await worker.stop();
await Promise.all(followers.map((follower) => follower.stop()));
closeSync(out);
process.stdout.write(`fences ${(await metrics.fences.get()).values[0]?.value ?? 0}\ndrained\n`);
await log.close();
await store.close();
process.exit(0);
