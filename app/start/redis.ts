import { type Logger, messageOf } from '../../core/index.ts';
import { type RedisConnector, redisConnector } from '../../stream/redis/index.ts';
import type { Environment } from '../environment.ts';
import { findRedis } from '../redis/find.ts';
import { type RedisServer, startRedisServer } from '../redis/server.ts';

export interface SupervisedRedis {
  readonly connector: RedisConnector;
  /** null where the Redis is not ours (REDIS_URL). */
  readonly pid: () => number | null;
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
const restartAfterMs = { first: 100, most: 5_000 };

/** The Redis of REDIS_URL, or a private one that is started again whenever it ends without having been told to. */
export async function superviseRedis(parts: RedisParts): Promise<SupervisedRedis> {
  const { environment, logger } = parts;
  if (environment.redisUrl !== null) {
    return { connector: redisConnector(environment.redisUrl), pid: () => null, stop: async () => {} };
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
  let isStopping = false;
  let restarting: Promise<void> = Promise.resolve();

  const start = (): Promise<RedisServer> =>
    startRedisServer({
      binary: binary.path,
      folder: parts.folder,
      maxmemoryMb,
      fsync: 'always',
      onExit: (why) => {
        if (isStopping) return;
        logger.error({ why }, 'The private Redis ended; starting it again');
        restarting = restart();
      },
    });

  async function restart(): Promise<void> {
    for (let wait = restartAfterMs.first; !isStopping; wait = Math.min(wait * 2, restartAfterMs.most)) {
      try {
        server = await start();
        logger.info({ pid: server.pid }, 'The private Redis serves again');
        return;
      } catch (error) {
        logger.error({ err: messageOf(error), retryInMs: wait }, 'The private Redis does not start');
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  let server = await start();
  return {
    connector: redisConnector(server.url),
    pid: () => server.pid,
    stop: async () => {
      isStopping = true;
      await restarting;
      await server.stop();
    },
  };
}
