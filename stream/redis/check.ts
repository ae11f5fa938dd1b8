import type { Redis } from 'ioredis';
import { type Clock, PresageError } from '../../core/index.ts';
import { RedisCaller } from './caller.ts';
import type { RedisConnector } from './connection.ts';

/** What a Redis that somebody else runs must be, so that nothing acknowledged can be lost or evicted. */
const wanted: readonly (readonly [setting: string, isRight: (value: string) => boolean, need: string])[] = [
  ['maxmemory', (value) => Number(value) > 0, 'maxmemory set (for example 2gb)'],
  ['maxmemory-policy', (value) => value === 'noeviction', 'maxmemory-policy noeviction'],
  ['appendonly', (value) => value === 'yes', 'appendonly yes'],
];
/** Where Redis is the log, an acknowledged event must survive a power cut. */
const wantedOfLog: typeof wanted = [['appendfsync', (value) => value === 'always', 'appendfsync always']];
/** With Kafka as the log, what a power cut takes of the state is made again from there. */
const wantedOfState: typeof wanted = [
  ['appendfsync', (value) => value === 'always' || value === 'everysec', 'appendfsync everysec (or always)'],
];

export interface RedisCheck {
  /** Settings that the server would not tell (managed Redis forbids CONFIG); not known to be right. */
  readonly unknown: readonly string[];
}

/**
 * Checks that a Redis may hold the state, and the log too where `holdsLog`. Throws PresageError `redis_too_old`, `redis_unsafe` (with every setting to
 * change in one sentence), or `log_unavailable`.
 */
export async function checkServer(
  connector: RedisConnector,
  clock: Clock,
  { holdsLog }: { readonly holdsLog: boolean },
): Promise<RedisCheck> {
  const needs = [...wanted, ...(holdsLog ? wantedOfLog : wantedOfState)];
  const caller = new RedisCaller({
    connector,
    name: 'log',
    clock,
    patienceMs: 10_000,
    commandTimeoutMs: 5_000,
  });
  try {
    const options = { what: 'check the settings of Redis', repeatable: true };
    checkVersion(connector.where, await caller.call((redis) => redis.info('server'), options));
    return checkSettings(
      connector.where,
      await caller.call((redis) => readSettings(redis, needs), options),
      needs,
    );
  } finally {
    caller.close();
  }
}

function checkVersion(where: string, info: string): void {
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  if (Number.parseInt(version, 10) >= 7) return;
  throw new PresageError(
    'redis_too_old',
    `Redis at ${where} has version ${version}; Presage needs Redis or Valkey 7 or newer.`,
  );
}

/** Settings by name; null when the server does not allow to read them. */
async function readSettings(redis: Redis, needs: typeof wanted): Promise<ReadonlyMap<string, string> | null> {
  try {
    const flat = (await redis.config('GET', ...needs.map(([name]) => name))) as string[];
    return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as const] : [])));
  } catch (error) {
    if (error instanceof Error && /unknown command|NOPERM/i.test(error.message)) return null;
    throw error;
  }
}

function checkSettings(
  where: string,
  settings: ReadonlyMap<string, string> | null,
  needs: typeof wanted,
): RedisCheck {
  if (settings === null) return { unknown: needs.map(([name]) => name) };
  const wrong = needs.filter(([name, isRight]) => !isRight(settings.get(name) ?? ''));
  if (wrong.length === 0) return { unknown: [] };
  throw new PresageError(
    'redis_unsafe',
    `Redis at ${where} could lose or evict events. It needs ${wrong.map(([, , need]) => need).join(', ')}. Change its configuration, or leave REDIS_URL out: Presage then starts a private one.`,
  );
}
