import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds the browser client into `<folder>/presage.js` (one classic script, no dependencies). */
export async function buildClient(folder = `${root}dist/client`) {
  await build({
    entryPoints: [`${root}client/index.ts`],
    outfile: `${folder}/presage.js`,
    bundle: true,
    format: 'iife',
    minify: true,
    target: ['es2022'],
    sourcemap: true,
    legalComments: 'none',
    logLevel: 'warning',
    tsconfigRaw: {},
  });
}
