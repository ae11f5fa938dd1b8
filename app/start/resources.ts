import { randomBytes } from 'node:crypto';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock, Logger } from '../../core/index.ts';
import { type KeyStore, makeKeyStore, redisKeyStorage } from '../../gateway/index.ts';
import { type ConnectJobs, type ReviewStore, redisReviewStore } from '../../jobs/index.ts';
import { loadScorers, type ScorerMetrics, type Scorers, scorerMetrics } from '../../scorers/index.ts';
import { openEmbeddedWarehouse, openServerWarehouse, type Warehouse } from '../../sinks/clickhouse/index.ts';
import type { Inbox } from '../../sinks/socketio/index.ts';
import { type FeatureSet, makeFeatureSet } from '../../stream/features/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import type { RedisConnector } from '../../stream/redis/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { liveView } from '../builds/live-view.ts';
import { systemClock } from '../clock.ts';
import type { Environment } from '../environment.ts';
import type { DataFolder } from './data-folder.ts';
import { type Divisions, openDivisions } from './divisions.ts';
import { openJobsRedis } from './jobs-redis.ts';
import { type OpenedRedis, openRedis } from './redis.ts';

/** Everything that roles share: opened once, closed in the opposite order. */
export interface Resources {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly connector: RedisConnector;
  readonly redis: OpenedRedis;
  readonly warehouse: Warehouse;
  /** Of the partitions in force: another log and store behind the same names when those become others. */
  readonly log: EventLog;
  /** Registers schemas of a workspace's events, where a schema registry is named. */
  readonly registerSchemas: (workspace: CompiledWorkspace) => Promise<void>;
  readonly store: StateStore;
  readonly divisions: Divisions;
  readonly features: FeatureSet;
  readonly scorers: Scorers;
  readonly scorerMetrics: ScorerMetrics;
  /** Whether the log bounds itself, by Kafka's retention, and is not trimmed when everyone has read it. */
  readonly logKeepsItself: boolean;
  readonly keys: KeyStore;
  readonly inbox: Inbox;
  readonly reviews: ReviewStore;
  /** For what waits in BullMQ. */
  readonly connectJobs: ConnectJobs;
}

export interface ResourceSettings {
  readonly environment: Environment;
  readonly workspace: CompiledWorkspace;
  readonly folder: DataFolder;
  readonly logger: Logger;
  readonly yes: boolean;
  readonly ask: (question: string) => Promise<boolean>;
  readonly say: (line: string) => void;
}

/** Opens them; each pushes its own end onto `closers`. The warehouse comes first, since its lock guards the folder. */
export async function openResources(
  settings: ResourceSettings,
  closers: (() => Promise<void>)[],
): Promise<Resources> {
  const { environment, folder, logger, workspace } = settings;
  const clock = systemClock;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const warehouse =
    environment.clickhouseUrl === null
      ? await openEmbeddedWarehouse({ folder: folder.clickhouse, logger })
      : await openServerWarehouse({ url: environment.clickhouseUrl, logger });
  closers.push(() => warehouse.close());

  const redis = await openRedis({
    environment,
    folder: folder.redis,
    yes: settings.yes,
    ask: settings.ask,
    say: settings.say,
    logger,
  });
  closers.push(() => redis.stop());
  const { connector } = redis;

  const jobs = await openJobsRedis(environment, connector);
  const reviews = jobs.connect('reviews');
  // As below.
  reviews.on('error', () => {});
  closers.push(async () => reviews.disconnect());

  const shared = connector.connect('keys');
  // Each caller hears of a failed command itself; connection trouble is told by the roles' health.
  shared.on('error', () => {});
  closers.push(async () => shared.disconnect());
  const divisions = await openDivisions({
    environment,
    workspace,
    connector,
    shared,
    folder,
    clock,
    registry,
    logger,
  });
  closers.push(() => divisions.close());
  const log = liveView(() => divisions.current().log);
  const store = liveView(() => divisions.current().store);

  const features = makeFeatureSet(workspace);
  for (const layout of await store.layouts()) features.learnLayout(layout);
  await store.saveLayout(features.layout, features.layoutDescription);
  const metrics = scorerMetrics(registry);
  const scorers = await loadScorers(workspace, { clock, logger, metrics });
  closers.push(() => scorers.close());

  return {
    clock,
    registry,
    connector,
    redis,
    warehouse,
    log,
    registerSchemas: (other) => divisions.current().register(other),
    store,
    divisions,
    features,
    scorers,
    scorerMetrics: metrics,
    logKeepsItself: environment.kafka !== null,
    keys: makeKeyStore({ storage: redisKeyStorage(shared), clock, randomBytes }),
    inbox: liveView(() => divisions.current().inbox),
    reviews: redisReviewStore(reviews),
    connectJobs: jobs.connectPatiently,
  };
}
