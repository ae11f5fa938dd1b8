import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PresageError } from '../../../core/index.ts';

export interface FolderLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** When that process began, as the system says it: tells it from a later one with the same id. */
  readonly began: string;
}

/**
 * Says that this process uses the folder. Throws `data_folder_in_use` while another living process says so; what a
 * killed process left behind counts for nothing. Two that start at the very same moment are told apart by ClickHouse's
 * own lock on its files.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = join(folder, 'presage.lock');
  const own: Holder = { pid: process.pid, began: (await beginningOf(process.pid)) ?? '' };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
      return { release: () => rm(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, error);
    }
    const holder = await holderOf(file);
    if (holder !== null && (await isAlive(holder))) throw folderInUse(folder, holder.pid);
    await rm(file, { force: true });
  }
  throw folderInUse(folder, null);
}

/** The error for a folder that another process has open. */
export function folderInUse(folder: string, pid: number | null): PresageError {
  return new PresageError(
    'data_folder_in_use',
    `The data folder ${folder} is in use by ${pid === null ? 'another process' : `process ${pid}`}: stop that one first, or choose another folder with --data.`,
    { details: { folder, pid } },
  );
}

const unusable = (folder: string, cause: unknown): PresageError =>
  new PresageError(
    'data_folder_unusable',
    `The data folder ${folder} can't be written to: ${(cause as Error).message}`,
    { cause },
  );

async function holderOf(file: string): Promise<Holder | null> {
  try {
    const { pid, began } = JSON.parse(await readFile(file, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && typeof began === 'string' ? { pid, began } : null;
  } catch {
    return null;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const began = await beginningOf(holder.pid);
  return began === null || began === holder.began;
}

/** When a process began, in whatever form the system has it; null if that can't be found out. */
async function beginningOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may contain anything; the start time is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    try {
      return (await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim() || null;
    } catch {
      return null;
    }
  }
}
