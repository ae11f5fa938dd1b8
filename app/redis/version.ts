import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, PresageError } from '../../core/index.ts';

const oldest = 7;

/** Throws PresageError `redis_missing` or `redis_too_old` unless `binary` is a redis-server or valkey-server >= 7. */
export async function checkRedisVersion(binary: string): Promise<void> {
  const version = await versionOf(binary);
  const major = Number(/v=(\d+)/.exec(version)?.[1]);
  if (major >= oldest) return;
  throw new PresageError(
    'redis_too_old',
    `${binary} is ${version.trim() || 'of an unknown version'}; Presage needs redis-server or valkey-server ${oldest} or newer. Install one, or set REDIS_URL to a server of that version.`,
  );
}

async function versionOf(binary: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(binary, ['--version'], { timeout: 10_000 });
    return stdout;
  } catch (error) {
    throw new PresageError(
      'redis_missing',
      `Could not run ${binary} (${messageOf(error).split('\n')[0]}). Install redis-server or valkey-server ${oldest} or newer, or set REDIS_URL.`,
      { cause: error },
    );
  }
}
