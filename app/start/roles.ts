import { randomBytes } from 'node:crypto';
import { type Health, type Logger, makeGate, PresageError, type Role } from '../../core/index.ts';
import {
  type Folders,
  type Gateway,
  makeGateway,
  makeThroughput,
  type SessionSecrets,
} from '../../gateway/index.ts';
import { makeReviews, reviewReader } from '../../jobs/index.ts';
import { makeSink, type Sink } from '../../sinks/clickhouse/index.ts';
import { makePush, type Push } from '../../sinks/socketio/index.ts';
import {
  linkedUser,
  makeAdmission,
  makeExplainer,
  makeRelay,
  makeRequestDecider,
  makeWorker,
  relayReader,
  requestMetrics,
  streamMetrics,
  type WorkerParts,
  warmUp,
} from '../../stream/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Builder } from '../builds/builder.ts';
import type { LoadedEngine } from '../builds/engine.ts';
import { liveView } from '../builds/live-view.ts';
import type { Environment } from '../environment.ts';
import { makeTrimmer, type Needed } from '../roles/trim.ts';
import { wireBuilds } from './builds.ts';
import { makeControl } from './control.ts';
import type { DataFolder } from './data-folder.ts';
import { type DemoControl, makeDemo } from './demo.ts';
import { makeFeedStatus } from './feed-status.ts';
import { wireRepartition } from './repartition.ts';
import type { Resources } from './resources.ts';
import { makeSources } from './sources.ts';
import { makeStopSwitch } from './stop-switch.ts';

export interface RoleParts extends Resources {
  readonly workspace: CompiledWorkspace;
  readonly logger: Logger;
  readonly environment: Environment;
  readonly host: string;
  readonly port: number;
  readonly adminToken: string;
  readonly consoleSecret: string;
  readonly version: string;
  readonly newId: () => string;
  readonly sessionSecrets: SessionSecrets;
  readonly folders: Folders;
  readonly folder: DataFolder;
}

export interface WiredRoles {
  readonly gateway: Gateway;
  readonly demo: DemoControl;
  /** Commands can find this instance now: it is ready as soon as its roles are. */
  registered(): void;
  /** Downstream first, so that nothing is taken in before it can go on; stopped the other way round: source first. */
  readonly inStartOrder: readonly Role[];
  /** All but the sources: a topic of somebody else's that is away keeps nothing else from working. */
  readonly neededToStart: readonly Role[];
}

/** Half a second at the start is what the first second of events gains. */
const warmUpMs = 500;

/** A worker that has run before its first event comes. */
const warmed = (worker: Role, parts: WorkerParts): Role => ({
  ...worker,
  start: async () => {
    await warmUp(parts, warmUpMs);
    await worker.start();
  },
});

/** See `WorkerParts.paceMs`. */
const commitPaceMs = 5;

/** Puts every role together for one process; nothing runs yet. */
export async function wireRoles(parts: RoleParts): Promise<WiredRoles> {
  const { log, store, clock, registry, logger, newId } = parts;
  const throughput = makeThroughput(clock);
  const { divisions } = parts;
  const base = (): number => divisions.current().version.base;
  const gate = makeGate({ patienceMs: heldMs, what: 'The number of partitions is being changed' });
  const sink = makeSink({ log, store, warehouse: parts.warehouse, clock, logger, registry, base });
  const builds = await wireBuilds(parts, sink);
  const { engines, builder, sharing } = builds;
  const workspace = liveView(() => engines.current().workspace);
  const features = liveView(() => engines.current().features);
  const control = makeControl({ log, store, clock, newId, tenants: [...workspace.tenants.keys()] });
  const stopSwitch = makeStopSwitch(control, logger);
  const workerParts: WorkerParts = {
    ...engines.current(),
    engines,
    clock,
    get partitions() {
      return log.partitions;
    },
    get logVersion() {
      return divisions.current().version.version;
    },
    log,
    store,
    metrics: streamMetrics(registry),
    logger: logger.child({ role: 'stream' }),
    newId,
    paceMs: commitPaceMs,
    onCommitted: (batch) =>
      throughput.committed(batch.records, batch.decisions, batch.committedAt - batch.oldestAppendedAt),
  };
  const worker = warmed(makeWorker(workerParts), workerParts);
  const needed: Needed = (partition) => neededOf(partition, sink, store, builder);
  const demo = makeDemo({ ...parts, worker, sink, needed, isMoving: () => repartition.isUnderWay() });
  const others: Role[] = [];
  const sources = await makeSources(parts);
  let instance: Health = { state: 'starting', why: 'commands cannot find it yet' };
  const ofRequests = requestMetrics(registry);
  const admission = makeAdmission(undefined, ofRequests);
  const deciders = new WeakMap<LoadedEngine, ReturnType<typeof makeRequestDecider>>();
  /** A request is decided by one engine from its beginning to its end. */
  function deciderOf(engine: LoadedEngine): ReturnType<typeof makeRequestDecider> {
    const known = deciders.get(engine);
    if (known !== undefined) return known;
    const decider = makeRequestDecider({
      ...engine,
      store,
      clock,
      partitions: log.partitions,
      logger,
      isStopped: (tenant) => stopSwitch.isStopped(tenant),
      admission,
      metrics: ofRequests,
    });
    deciders.set(engine, decider);
    return decider;
  }
  const relay = makeRelay({ log, store, clock, logger, registry });
  const reviews = makeReviews({
    store: parts.reviews,
    connect: parts.connectJobs,
    outbox: store,
    log,
    clock,
    logger,
    registry,
    gate,
  });
  const trimmer = makeTrimmer({ log, store, needed, logger, keepsLog: parts.logKeepsItself });
  const repartition = wireRepartition(parts, {
    gate,
    builds,
    followers: [sink, worker, relay, reviews, trimmer],
    push: () => push,
    sources,
    gateway: () => gateway,
  });
  const gateway: Gateway = await makeGateway({
    ...parts,
    workspace,
    features,
    builds: {
      status: builder.builds.status,
      async begin(asked) {
        if (repartition.isUnderWay() && !asked.dryRun)
          throw new PresageError(
            'repartition_running',
            'The number of partitions is being changed: wait until that is done.',
          );
        return builder.builds.begin(asked);
      },
    },
    repartition,
    gate,
    decide: (request) => deciderOf(engines.current())(request),
    explain: (request) =>
      makeExplainer({
        ...engines.current(),
        store,
        clock,
        partitions: log.partitions,
        logger,
        isStopped: (tenant) => stopSwitch.isStopped(tenant),
      })(request),
    control,
    reviews: reviews.desk,
    feedStatus: makeFeedStatus({ log, store, sink, warehouse: parts.warehouse, version: base }),
    roles: () => [
      { name: 'redis', health: parts.redis.health() },
      { name: 'instance', health: instance },
      ...others.map((role) => ({ name: role.name, health: role.health() })),
      ...sources.map((role) => ({ name: role.name, health: role.health(), isSource: true })),
    ],
    throughput,
    randomBytes,
    simulating: () => demo.isSimulating(),
    demo: workspace.source.demo || workspace.source.simulate ? demo : null,
  });
  const push: Push = makePush({
    gate,
    server: gateway.server,
    store,
    log,
    inbox: parts.inbox,
    authenticate: (auth) => gateway.sessions.authenticateSocket(auth),
    findLink: (who) => linkedUser({ store, features, partitions: log.partitions }, who),
    isStopped: (tenant) => stopSwitch.isStopped(tenant),
    clock,
    logger,
    registry,
    onPushed: (pushed) => {
      throughput.pushed(pushed.latencyMs);
      gateway.publish({ kind: 'pushed', ...pushed });
    },
  });
  others.push(sharing, sink, stopSwitch, builder.role, worker, relay, reviews, trimmer, push);
  return {
    gateway,
    demo,
    registered: () => {
      instance = { state: 'ok' };
    },
    // Ended first: it stops and begins others.
    inStartOrder: [...others, gateway, ...sources, repartition.role],
    neededToStart: [...others, gateway],
  };
}

/** Producers wait so long while the partitions become others; then they are told to come back (503). */
const heldMs = 10_000;

/** What sink, push, relay and the review queue still need of a partition; null while one of them has not begun. */
async function neededOf(
  partition: number,
  sink: Sink,
  store: StateStore,
  builder: Builder,
): Promise<{ log: number; outbox: number } | null> {
  const bySink = sink.needed(partition);
  const readers = await Promise.all(
    ['push', relayReader, reviewReader].map((reader) => store.readerState(partition, reader)),
  );
  if (bySink === null) return null;
  let outbox = bySink.outbox;
  for (const saved of readers) {
    if (saved === null) return null;
    outbox = Math.min(outbox, (JSON.parse(saved) as { position: number }).position);
  }
  return { log: Math.min(bySink.log, builder.needs(partition) ?? Infinity), outbox };
}
