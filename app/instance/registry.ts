import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { processIdentity } from '../process/identity.ts';

/** How a command finds a running instance: by its port alone. Readable by its owner only, since it holds the token. */
const instanceFile = z.object({
  address: z.string(),
  workspace: z.string(),
  data: z.string(),
  token: z.string(),
  pid: z.number().int(),
  /** Tells the process from a later one with the same id. */
  identity: z.string(),
});
export type InstanceFile = z.infer<typeof instanceFile>;

const fileOf = (stateFolder: string, port: number): string => join(stateFolder, 'instances', `${port}.json`);

export async function registerInstance(
  stateFolder: string,
  port: number,
  described: Omit<InstanceFile, 'identity'>,
): Promise<void> {
  const instance: InstanceFile = { ...described, identity: (await processIdentity(described.pid)) ?? '' };
  const file = fileOf(stateFolder, port);
  await mkdir(join(stateFolder, 'instances'), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${instance.pid}`;
  await writeFile(fresh, JSON.stringify(instance), { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}

export async function unregisterInstance(stateFolder: string, port: number, pid: number): Promise<void> {
  const known = await readInstanceFile(stateFolder, port);
  if (known?.pid === pid) await rm(fileOf(stateFolder, port), { force: true });
}

/** What the file says, or null where there is none (or an unreadable one: the instance then counts as not running). */
export async function readInstanceFile(stateFolder: string, port: number): Promise<InstanceFile | null> {
  try {
    return instanceFile.parse(JSON.parse(await readFile(fileOf(stateFolder, port), 'utf8')));
  } catch {
    return null;
  }
}

/** The file, if its process is alive; a killed instance leaves its file behind. */
export async function findInstance(stateFolder: string, port: number): Promise<InstanceFile | null> {
  const instance = await readInstanceFile(stateFolder, port);
  if (instance === null) return null;
  const identity = await processIdentity(instance.pid);
  return identity !== null && identity === instance.identity ? instance : null;
}
