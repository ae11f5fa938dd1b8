import { type Gate, type Logger, PresageError, type Role } from '../../core/index.ts';
import type { Gateway } from '../../gateway/index.ts';
import type { Push } from '../../sinks/socketio/index.ts';
import { logTopic } from '../../stream/log/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { readBuilds } from '../builds/plan.ts';
import type { Environment } from '../environment.ts';
import { makeRepartitioner, type Repartitioner } from '../repartition/repartitioner.ts';
import type { WiredBuilds } from './builds.ts';
import type { Resources } from './resources.ts';

export interface RepartitionWiring {
  readonly gate: Gate;
  readonly builds: WiredBuilds;
  /** What follows log and outbox, in the order in which it is started. */
  readonly followers: readonly Role[];
  /** Follows the outbox too, and keeps its connections. */
  readonly push: () => Push;
  readonly sources: readonly Role[];
  readonly gateway: () => Pick<Gateway, 'endLiveStreams'>;
}

/** Redis may be full to this share before its state is copied beside itself. */
const mostMemoryShare = 0.35;

export type RepartitionParts = Pick<Resources, 'divisions' | 'store' | 'clock'> & {
  readonly environment: Environment;
  readonly workspace: CompiledWorkspace;
  readonly logger: Logger;
};

export function wireRepartition(parts: RepartitionParts, wiring: RepartitionWiring): Repartitioner {
  const { divisions, store, environment } = parts;
  const { gate, builds, followers, sources } = wiring;

  async function objection(): Promise<PresageError | null> {
    if ((await readBuilds(store)).plan !== null)
      return new PresageError(
        'build_running',
        'State is being built (presage apply or rebuild): wait until it is in force.',
      );
    const keyed = Object.entries(parts.workspace.source.sources).filter(([, { keyed }]) => keyed);
    if (keyed.length > 0)
      return new PresageError(
        'usage',
        `Sources with "keyed: true" need a topic with as many partitions as the log: take that off ${keyed.map(([name]) => name).join(', ')} first.`,
      );
    const { used, most } = await memory();
    return most > 0 && used > most * mostMemoryShare
      ? new PresageError(
          'redis_too_full',
          `Redis uses ${Math.round((100 * used) / most)}% of its maxmemory, and while the partitions become others it holds all state twice: raise maxmemory until it is below ${mostMemoryShare * 100}%.`,
        )
      : null;
  }

  async function memory(): Promise<{ readonly used: number; readonly most: number }> {
    const text = await divisions.send((redis) => redis.info('memory'), 'ask how full Redis is');
    const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { used: field('used_memory'), most: field('maxmemory') };
  }

  return makeRepartitioner({
    divisions,
    clock: parts.clock,
    logger: parts.logger,
    objection,
    shared: () => {
      const { shared, workspace } = builds.engines.current();
      return { groups: shared?.groups ?? [], tenants: [...workspace.tenants.keys()] };
    },
    topicOf: (version) => (environment.kafka === null ? null : logTopic(environment.kafka.prefix, version)),
    surroundings: {
      gate,
      pauseSources: async () => {
        await Promise.all(sources.map((source) => source.stop()));
      },
      resumeSources: async () => {
        await Promise.all(sources.map((source) => source.start()));
      },
      pauseFollowers: async () => {
        await Promise.all([...followers.map((role) => role.stop()), wiring.push().pause()]);
      },
      resumeFollowers: async () => {
        for (const role of followers) await role.start();
        wiring.push().resume();
      },
      changed: async () => {
        await builds.repartitioned();
        wiring.gateway().endLiveStreams();
      },
    },
  });
}
