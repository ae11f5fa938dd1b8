import { homedir } from 'node:os';
import { join } from 'node:path';

/** All that Presage reads from the environment, in one place. */
export interface Environment {
  /** A Redis of your own instead of the private one. */
  readonly redisUrl: string | null;
  /** A ClickHouse server instead of the embedded one. */
  readonly clickhouseUrl: string | null;
  readonly logLevel: string;
  readonly path: string;
  /** Where running instances leave their address and credential. */
  readonly stateFolder: string;
  readonly isCi: boolean;
  readonly isRoot: boolean;
  readonly isTerminal: boolean;
}

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const isTerminal = process.stdout.isTTY === true && process.stdin.isTTY === true;
  return {
    redisUrl: env.REDIS_URL || null,
    clickhouseUrl: env.CLICKHOUSE_URL || null,
    // A person at a terminal reads the banner; what collects logs wants them all.
    logLevel: env.PRESAGE_LOG_LEVEL || (isTerminal ? 'warn' : 'info'),
    path: env.PATH ?? '',
    stateFolder: join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'presage'),
    isCi: env.CI === 'true',
    isRoot: process.getuid?.() === 0,
    isTerminal,
  };
}
