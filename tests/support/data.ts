import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './program.ts';

/** A file of the public data beside the checkout; a test of it is skipped, with a line that says so, where it is absent. */
export function realData(name: string): { readonly path: string; readonly isThere: boolean } {
  const folder = process.env.PRESAGE_DATA ?? join(root, '..', 'shared', 'data');
  const path = join(folder, name);
  const isThere = existsSync(path);
  if (!isThere) console.warn(`SKIPPED: tests of ${name}, which is not beside the checkout (${path})`);
  return { path, isThere };
}
