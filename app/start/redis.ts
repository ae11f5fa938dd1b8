import type { Health, Logger } from '../../core/index.ts';
import { checkServer, type RedisConnector, redisConnector } from '../../stream/redis/index.ts';
import { systemClock } from '../clock.ts';
import type { Environment } from '../environment.ts';
import { findRedis } from '../redis/find.ts';
import { superviseRedis } from '../redis/index.ts';

export interface OpenedRedis {
  readonly connector: RedisConnector;
  /** Of the private server; somebody else's is judged by the roles that use it. */
  health(): Health;
  stop(): Promise<void>;
}

export interface RedisParts {
  readonly environment: Environment;
  readonly folder: string;
  readonly yes: boolean;
  readonly ask: (question: string) => Promise<boolean>;
  readonly say: (line: string) => void;
  readonly logger: Logger;
}

/** Memory of the private Redis; ingest answers 503 from 70% of it. */
const maxmemoryMb = 2_048;

/**
 * The Redis of REDIS_URL (throws `redis_unsafe` where it could lose the log, `redis_too_old`), or a private one that is started again whenever it
 * ends without having been told to.
 */
export async function openRedis(parts: RedisParts): Promise<OpenedRedis> {
  const { environment } = parts;
  if (environment.redisUrl !== null) {
    const connector = redisConnector(environment.redisUrl);
    await checkServer(connector, systemClock, { holdsLog: environment.kafka === null });
    return {
      connector,
      health: () => ({ state: 'ok' }),
      stop: async () => {},
    };
  }
  const binary = await findRedis({
    path: environment.path,
    platform: process.platform,
    isRoot: environment.isRoot,
    isUnattended: environment.isCi || !environment.isTerminal,
    yes: parts.yes,
    ask: parts.ask,
    say: parts.say,
  });
  const server = await superviseRedis({
    binary: binary.path,
    folder: parts.folder,
    maxmemoryMb,
    fsync: 'always',
    logger: parts.logger.child({ role: 'redis' }),
  });
  return { connector: redisConnector(server.url), health: () => server.health(), stop: () => server.stop() };
}
