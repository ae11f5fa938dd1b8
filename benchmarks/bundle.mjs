// Bundles a TypeScript file of benchmarks/ into .presage/bench/, from where Node runs it.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Files beside a source (Lua, SQL) are found from its own place, so each source keeps its address. */
const ownAddress = {
  name: 'own-address',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(path).href),
      ),
      loader: path.endsWith('.ts') ? 'ts' : 'js',
    }));
  },
};

/** Returns the path of the bundle of `benchmarks/<file>`. */
export async function bundle(file) {
  const outfile = join(root, '.presage', 'bench', `${basename(file, '.ts')}.mjs`);
  await build({
    entryPoints: [join(root, 'benchmarks', file)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
    plugins: [ownAddress],
  });
  return outfile;
}
