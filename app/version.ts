import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, from app/ as from dist/app/. */
export const packageFolder = ((): string => {
  const here = dirname(dirname(fileURLToPath(import.meta.url)));
  return here.endsWith('dist') ? dirname(here) : here;
})();

export const version = (
  JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
).version;
