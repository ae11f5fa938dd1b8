import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { mastersOf } from './cluster.ts';

export interface LibrarySource {
  /** `state` makes `presage_state_<hash>`. */
  readonly name: string;
  /** Lua files, in the order they need one another. */
  readonly files: readonly URL[];
  /** Functions by the name of their Lua function, with Redis's flags. */
  readonly functions: Readonly<Record<string, readonly ('allow-oom' | 'no-writes')[]>>;
}

export interface FunctionLibrary {
  /** The name to call one of the library's functions by. */
  functionName(name: string): string;
  /**
   * Loads the library if Redis does not have it, and then deletes our libraries of other versions. A running program
   * of another version loses nothing: its next call finds its functions gone and loads them again.
   */
  load(redis: Redis): Promise<void>;
}

/**
 * A Redis Functions library whose names carry the hash of its code: function names are global in Redis, so two
 * versions of the program on one Redis must not share them.
 */
export function functionLibrary(source: LibrarySource): FunctionLibrary {
  const body = source.files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const flags = JSON.stringify(source.functions);
  const hash = createHash('sha256').update(body).update(flags).digest('hex').slice(0, 12);
  const family = `presage_${source.name}_`;
  const library = `${family}${hash}`;
  const functionName = (name: string): string => `${library}_${name}`;
  const registrations = Object.entries(source.functions).map(
    ([name, flags]) =>
      `redis.register_function{function_name='${functionName(name)}', callback=${name}, flags={${flags.map((flag) => `'${flag}'`).join(', ')}}}`,
  );
  const code = [`#!lua name=${library}`, body, ...registrations].join('\n');

  return {
    functionName,
    async load(connection) {
      await Promise.all(mastersOf(connection).map(loadInto));
    },
  };

  async function loadInto(redis: Redis): Promise<void> {
    const present = await librariesOf(redis, family);
    if (!present.includes(library)) await loadOnce(redis, code);
    for (const old of present) {
      if (old !== library) await redis.function('DELETE', old).catch(ignoreMissing);
    }
  }
}

async function librariesOf(redis: Redis, family: string): Promise<string[]> {
  const listed = (await redis.function('LIST', 'LIBRARYNAME', `${family}*`)) as unknown[];
  return listed.flatMap((fields) => {
    const name = Array.isArray(fields) ? fields[fields.indexOf('library_name') + 1] : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}

async function loadOnce(redis: Redis, code: string): Promise<void> {
  try {
    await redis.function('LOAD', code);
  } catch (error) {
    // Another process was faster; the name carries the hash, so it loaded the same code.
    if (!(error instanceof Error && error.message.includes('already exists'))) throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && error.message.includes('not found'))) throw error;
}
