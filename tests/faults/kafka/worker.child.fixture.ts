import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { loadScorers, scorerMetrics } from '../../../scorers/index.ts';
import { makeFeatureSet } from '../../../stream/features/index.ts';
import { makeWorker, streamMetrics } from '../../../stream/index.ts';
import { kafkaLog } from '../../../stream/log/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';
import { redisState } from '../../../stream/state/index.ts';
import { loadWorkspace } from '../../../workspace/index.ts';
import { silentLogger } from '../../support/silence.ts';

/** One stream worker as a process of its own. Writes down each commit that was made, and each that was refused. */
export interface WorkerLife {
  readonly name: string;
  readonly redis: string;
  readonly broker: string;
  readonly partitions: number;
  readonly workspace: string;
  readonly sessionMs: number;
  /** One line each: name, partition, made or fenced, position. */
  readonly journal: string;
}

const life = JSON.parse(process.argv[2] ?? '{}') as WorkerLife;
const clock = { now: Date.now, monotonic: () => performance.now() };
const logger = silentLogger();
const workspace = await loadWorkspace(life.workspace);
const registry = new Registry();
const log = await kafkaLog({
  connection: { brokers: [life.broker] },
  version: 1,
  partitions: life.partitions,
  clock,
  logger,
  timings: { sessionMs: life.sessionMs },
});
const store = redisState({ connector: redisConnector(life.redis), version: 1, clock });
const worker = makeWorker({
  workspace,
  features: makeFeatureSet(workspace),
  scorers: await loadScorers(workspace, { clock, logger, metrics: scorerMetrics(registry) }),
  clock,
  partitions: life.partitions,
  log,
  store: {
    ...store,
    async commit(partition, commit) {
      const outcome = await store.commit(partition, commit);
      appendFileSync(life.journal, `${life.name} ${partition} ${outcome.kind} ${commit.position}\n`);
      return outcome;
    },
  },
  metrics: streamMetrics(registry),
  logger,
  newId: randomUUID,
});
await worker.start();
process.stdout.write('started\n');
process.on('SIGTERM', async () => {
  await worker.stop();
  await log.close();
  await store.close();
  process.exit(0);
});
