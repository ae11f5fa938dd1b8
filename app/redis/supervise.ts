import { type Health, type Logger, messageOf } from '../../core/index.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './server.ts';

export interface SupervisedRedis extends RedisServer {
  health(): Health;
}

const backoffMs = { first: 50, most: 5_000 } as const;

/**
 * A private redis-server that is started again, on the same data and address, whenever it ends without having been told
 * to; `pid` is then another one. It is tried for ever, more and more slowly: a full disk may be emptied.
 * Throws what `startRedisServer` throws when the first start fails.
 */
export async function superviseRedis(
  options: Omit<RedisServerOptions, 'onExit'> & { readonly logger: Logger },
): Promise<SupervisedRedis> {
  const { logger } = options;
  let isStopped = false;
  let health: Health = { state: 'ok' };
  let restarting: Promise<void> = Promise.resolve();
  let interrupt: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    interrupt = resolve;
  });

  const start = (): Promise<RedisServer> =>
    startRedisServer({
      ...options,
      onExit: (why) => {
        restarting = restart(why);
      },
    });

  async function restart(why: string): Promise<void> {
    health = { state: 'down', why };
    logger.error({ why }, 'Redis ended; it is started again');
    for (let wait: number = backoffMs.first; !isStopped; wait = Math.min(wait * 2, backoffMs.most)) {
      try {
        server = await start();
        health = { state: 'ok' };
        logger.info({ pid: server.pid }, 'Redis serves again');
        return;
      } catch (error) {
        health = { state: 'down', why: messageOf(error) };
        logger.error({ err: messageOf(error), retryInMs: wait }, 'Redis could not be started again');
        await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, wait))]);
      }
    }
  }

  let server = await start();
  return {
    url: server.url,
    get pid() {
      return server.pid;
    },
    health: () => health,
    async stop() {
      isStopped = true;
      interrupt();
      await restarting;
      await server.stop();
    },
    kill: () => server.kill(),
  };
}
