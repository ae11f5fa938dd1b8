import { Redis, type RedisOptions } from 'ioredis';

/** What one connection may have otherwise. */
export type ConnectionChanges = Pick<
  RedisOptions,
  'db' | 'maxRetriesPerRequest' | 'enableOfflineQueue' | 'autoResendUnfulfilledCommands'
>;

/** Makes connections to one Redis. `where` names it in messages, without credentials. */
export interface RedisConnector {
  readonly where: string;
  /**
   * A new connection; `purpose` names it in Redis's CLIENT LIST. Connects in the background and reconnects for ever.
   * `own`: where it differs from all others, such as its database.
   */
  connect(purpose: string, own?: ConnectionChanges): Redis;
}

/**
 * A connector for `redis://`, `rediss://` or the path of a unix socket (`/path/redis.sock`, `unix:///path/redis.sock`).
 * Nothing is queued or resent behind our back: a command either is on the wire or fails, and whoever sent it decides
 * whether sending it again is safe (ARCHITECTURE, "Unknown outcome").
 */
export function redisConnector(url: string): RedisConnector {
  const target = url.replace(/^unix:\/\//, '');
  return {
    where: describe(target),
    connect: (purpose, own = {}) => new Redis(target, { ...connectionOptions(purpose), ...own }),
  };
}

/** How each connection behaves; `purpose` names it. */
export function connectionOptions(purpose: string) {
  return {
    connectionName: `presage:${purpose}`,
    protocol: 2 as const,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // ioredis drops, without settling them, the commands of a lost connection unless this flushes them at once.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(20 * attempt, 500),
    connectTimeout: 5_000,
    // How often a server that is still loading its data is asked again.
    maxLoadingRetryTime: 100,
    keepAlive: 10_000,
  } satisfies RedisOptions;
}

function describe(target: string): string {
  if (target.startsWith('/')) return target;
  try {
    const { host } = new URL(target);
    return host;
  } catch {
    return target;
  }
}
