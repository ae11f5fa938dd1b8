import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const folderOf = (folder: string): string => join(folder, 'appendonlydir');

/** The file that Redis appends its writes to. */
function tailFile(folder: string): string | null {
  if (!existsSync(folderOf(folder))) return null;
  const names = readdirSync(folderOf(folder)).filter((name) => name.endsWith('.incr.aof'));
  const newest = names.sort((a, b) => Number(a.split('.').at(-3)) - Number(b.split('.').at(-3))).at(-1);
  return newest === undefined ? null : join(folderOf(folder), newest);
}

export interface Watched {
  watchedMs(): number;
  /** How large the file was so many milliseconds ago. */
  at(agoMs: number): number;
  stop(): void;
}

/** Notes how the append-only file grows. */
export function watchSize(folder: string): Watched {
  const begun = Date.now();
  const sizes: { at: number; bytes: number }[] = [];
  const note = (): void => {
    const file = tailFile(folder);
    if (file !== null) sizes.push({ at: Date.now(), bytes: statSync(file).size });
  };
  note();
  const timer = setInterval(note, 20);
  return {
    watchedMs: () => Date.now() - begun,
    at: (agoMs) => {
      const wanted = Date.now() - agoMs;
      return sizes.findLast(({ at }) => at <= wanted)?.bytes ?? sizes[0]?.bytes ?? 0;
    },
    stop: () => clearInterval(timer),
  };
}

/** What a power cut does to a file whose end had not been written to the disk. */
export async function cutTail(folder: string, bytes: number): Promise<void> {
  const file = tailFile(folder);
  if (file === null) throw new Error('Redis has no append-only file.');
  await truncate(file, Math.min(bytes, statSync(file).size));
}

export async function wipe(folder: string): Promise<void> {
  await rm(folderOf(folder), { recursive: true, force: true });
}
