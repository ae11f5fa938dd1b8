import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PresageError } from '../../core/index.ts';

export interface RedisBinary {
  readonly path: string;
  readonly version: string;
}

export interface FindRedisOptions {
  /** The PATH to look in. */
  readonly path: string;
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** Nobody is there to ask: no terminal, or CI. */
  readonly isUnattended: boolean;
  /** `--yes` was given. */
  readonly yes: boolean;
  /** Asks a person on a terminal; resolves with their answer. */
  readonly ask: (question: string) => Promise<boolean>;
  readonly say: (line: string) => void;
}

const oldestMajor = 7;
const names = ['redis-server', 'valkey-server'];

/**
 * A redis-server or valkey-server of version 7 or newer. Where there is none it is installed from Debian's packages if
 * that can be done without asking, or the person says yes. Throws PresageError `redis_missing` with the one command.
 */
export async function findRedis(options: FindRedisOptions): Promise<RedisBinary> {
  const found = search(options.path);
  const fit = found.find((binary) => Number(binary.version.split('.')[0]) >= oldestMajor);
  if (fit) return fit;

  const command = installCommand(options);
  const problem =
    found[0] === undefined
      ? 'Presage needs redis-server (7 or newer) and found none on PATH'
      : `Presage needs Redis 7 or newer and found only ${found[0].path} ${found[0].version}`;
  const mayInstall =
    options.platform === 'linux' && options.isRoot && onPath('apt-get', options.path) !== null;
  const wanted =
    mayInstall &&
    (options.yes ||
      options.isUnattended ||
      (await options.ask(`${problem}. Install it now with "${command}"?`)));
  if (!wanted)
    throw new PresageError(
      'redis_missing',
      `${problem}: run "${command}", or set REDIS_URL to a Redis of your own.`,
    );

  options.say(`Installing Redis: ${command}`);
  install();
  const installed = search(options.path).find(
    (binary) => Number(binary.version.split('.')[0]) >= oldestMajor,
  );
  if (installed) return installed;
  throw new PresageError(
    'redis_missing',
    `Installing Redis failed: run "${command}" to see why, or set REDIS_URL to a Redis of your own.`,
  );
}

function search(path: string): RedisBinary[] {
  return names.flatMap((name) => {
    const binary = onPath(name, path);
    if (binary === null) return [];
    const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
    const version = /v=(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
    return version === undefined ? [] : [{ path: binary, version }];
  });
}

function onPath(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

function installCommand(options: FindRedisOptions): string {
  if (options.platform === 'darwin') return 'brew install redis';
  return options.isRoot ? 'apt-get install -y redis-server' : 'sudo apt-get install -y redis-server';
}

function install(): void {
  const env = {
    DEBIAN_FRONTEND: 'noninteractive',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
    stdio: 'ignore',
    env,
  });
}
