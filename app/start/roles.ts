import { randomBytes } from 'node:crypto';
import type { Health, Logger, Role } from '../../core/index.ts';
import {
  type Folders,
  type Gateway,
  makeGateway,
  makeThroughput,
  type SessionSecrets,
} from '../../gateway/index.ts';
import { makeSink, type Sink } from '../../sinks/clickhouse/index.ts';
import { makePush } from '../../sinks/socketio/index.ts';
import {
  linkedUser,
  makeRelay,
  makeRequestDecider,
  makeWorker,
  relayReader,
  streamMetrics,
} from '../../stream/index.ts';
import { makeSharedSnapshots, sharedGroups } from '../../stream/shared/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Environment } from '../environment.ts';
import { makeTrimmer, type Needed } from '../roles/trim.ts';
import { makeControl } from './control.ts';
import type { DataFolder } from './data-folder.ts';
import { type DemoControl, makeDemo } from './demo.ts';
import { makeFeedStatus } from './feed-status.ts';
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
}

/** Puts every role together for one process; nothing runs yet. */
export async function wireRoles(parts: RoleParts): Promise<WiredRoles> {
  const { log, store, clock, registry, workspace, features, scorers, logger, newId } = parts;
  const throughput = makeThroughput(clock);
  const control = makeControl({ log, store, clock, newId, tenants: [...workspace.tenants.keys()] });
  const stopSwitch = makeStopSwitch(control, logger);
  const sink = makeSink({ log, store, warehouse: parts.warehouse, clock, logger, registry });
  const groups = sharedGroups(workspace);
  const shared =
    groups.length === 0
      ? undefined
      : makeSharedSnapshots({
          workspace,
          groups,
          store,
          partitions: log.partitions,
          logger: logger.child({ role: 'shared features' }),
        });
  for (const group of groups) {
    for (const layout of await store.layouts()) group.features.learnLayout(layout);
    await store.saveLayout(group.features.layout, group.features.layoutDescription);
  }
  const worker = makeWorker({
    shared,
    workspace,
    features,
    scorers,
    clock,
    partitions: log.partitions,
    log,
    store,
    metrics: streamMetrics(registry),
    logger: logger.child({ role: 'stream' }),
    newId,
    onCommitted: (batch) =>
      throughput.committed(batch.records, batch.decisions, batch.committedAt - batch.oldestAppendedAt),
  });
  const needed: Needed = (partition) => neededOf(partition, sink, store);
  const demo = makeDemo({ ...parts, worker, sink, needed });
  const others: Role[] = [];
  const sources = await makeSources(parts);
  let instance: Health = { state: 'starting', why: 'commands cannot find it yet' };
  const gateway = await makeGateway({
    ...parts,
    decide: makeRequestDecider({
      shared,
      workspace,
      features,
      store,
      scorers,
      clock,
      partitions: log.partitions,
      logger,
      isStopped: (tenant) => stopSwitch.isStopped(tenant),
    }),
    control,
    feedStatus: makeFeedStatus({ log, store, sink, warehouse: parts.warehouse }),
    roles: () => [
      { name: 'redis', health: parts.redis.health() },
      { name: 'instance', health: instance },
      ...[...others, ...sources].map((role) => ({ name: role.name, health: role.health() })),
    ],
    throughput,
    randomBytes,
    simulating: () => demo.isSimulating(),
    demo: workspace.source.demo || workspace.source.simulate ? demo : null,
  });
  const push = makePush({
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
  const relay = makeRelay({ log, store, clock, logger, registry });
  const trimmer = makeTrimmer({
    log,
    store,
    needed,
    logger,
    keepsLog: parts.logKeepsItself,
  });
  if (shared !== undefined) others.push(shared);
  others.push(sink, stopSwitch, worker, relay, trimmer, push);
  return {
    gateway,
    demo,
    registered: () => {
      instance = { state: 'ok' };
    },
    inStartOrder: [...others, gateway, ...sources],
  };
}

/** What sink, push and relay still need of a partition; null while one of them has not begun. */
async function neededOf(
  partition: number,
  sink: Sink,
  store: StateStore,
): Promise<{ log: number; outbox: number } | null> {
  const bySink = sink.needed(partition);
  const readers = await Promise.all(
    ['push', relayReader].map((reader) => store.readerState(partition, reader)),
  );
  if (bySink === null) return null;
  let outbox = bySink.outbox;
  for (const saved of readers) {
    if (saved === null) return null;
    outbox = Math.min(outbox, (JSON.parse(saved) as { position: number }).position);
  }
  return { log: bySink.log, outbox };
}
