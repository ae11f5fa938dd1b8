import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Writes W1's workspace with timers into a folder, from where the worker loads it. */
export async function writeWorkspace(folder: string): Promise<void> {
  const parts = ['../w1/presage.yaml', './timers.yaml'].map((file) =>
    readFile(fileURLToPath(new URL(file, import.meta.url)), 'utf8'),
  );
  await writeFile(join(folder, 'presage.yaml'), (await Promise.all(parts)).join(''));
}
