import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PresageError } from '../../core/index.ts';

/** Less room than this and Redis or ClickHouse would fail in the middle of something. */
const leastFreeBytes = 256 * 1024 * 1024;

const secretsFile = z.object({
  /** Root of the tenants' session secrets and of console sessions, base64url. */
  secret: z.string().min(40),
  /** Public keys of the demo pages and simulated shoppers, by tenant. */
  demoKeys: z.record(z.string(), z.string()),
});
export type Secrets = z.infer<typeof secretsFile>;

export interface DataFolder {
  readonly path: string;
  readonly redis: string;
  readonly clickhouse: string;
  secrets(): Promise<Secrets>;
  saveSecrets(secrets: Secrets): Promise<void>;
  /** How the log was divided when that was last written down; null: never. For a Redis that has lost it. */
  versions(): Promise<string | null>;
  saveVersions(text: string): Promise<void>;
}

/** Makes the folder, for its owner only, and checks that there is room. Throws `data_folder_unusable`, `no_disk_space`. */
export async function openDataFolder(
  path: string,
  freeBytes: (path: string) => Promise<number> = freeBytesOf,
): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    for (const name of ['redis', 'clickhouse', 'feeds'])
      await mkdir(join(path, name), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PresageError(
      'data_folder_unusable',
      `The data folder ${path} can't be made or written to: ${(cause as Error).message}`,
      { cause },
    );
  }
  const free = await freeBytes(path);
  if (free < leastFreeBytes) {
    const mb = (bytes: number): number => Math.floor(bytes / 1024 / 1024);
    throw new PresageError(
      'no_disk_space',
      `Only ${mb(free)} MB are free at ${path}; Presage needs at least ${mb(leastFreeBytes)} MB: free some, or choose another folder with --data.`,
    );
  }
  const file = join(path, 'secrets.json');
  return {
    path,
    redis: join(path, 'redis'),
    clickhouse: join(path, 'clickhouse'),
    secrets: async () => {
      const text = await readFile(file, 'utf8').catch(() => null);
      if (text === null) return { secret: randomBytes(32).toString('base64url'), demoKeys: {} };
      const parsed = secretsFile.safeParse(safeJson(text));
      if (parsed.success) return parsed.data;
      throw new PresageError(
        'data_folder_unusable',
        `${file} is damaged: restore it from a backup, or delete it (session tokens and demo keys will be made anew).`,
      );
    },
    saveSecrets: async (secrets) => {
      await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
      await chmod(file, 0o600);
    },
    versions: () => readFile(join(path, 'log.json'), 'utf8').catch(() => null),
    saveVersions: (text) => writeFile(join(path, 'log.json'), text, { mode: 0o600 }),
  };
}

async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
