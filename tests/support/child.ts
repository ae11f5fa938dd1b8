import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** A program that a test runs as a process of its own, to kill it. */
export interface ChildProgram {
  /** `ended` resolves with exit code or signal, and all it wrote. */
  start(...args: string[]): {
    readonly process: ChildProcess;
    readonly ended: Promise<{ how: string; output: string }>;
    says(text: string): Promise<void>;
  };
  remove(): Promise<void>;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Bundles our TypeScript at `entry`; packages stay outside. Inside the repository, so that they are found. */
export async function childProgram(entry: URL): Promise<ChildProgram> {
  const folder = await mkdtemp(join(root, 'node_modules', '.presage-child-'));
  const outfile = join(folder, 'child.mjs');
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
    plugins: [
      {
        name: 'files-beside-the-source',
        setup(plugins) {
          plugins.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
            loader: 'ts',
            contents: (await readFile(path, 'utf8')).replaceAll(
              'import.meta.url',
              JSON.stringify(pathToFileURL(path).href),
            ),
          }));
        },
      },
    ],
  });
  return {
    start(...args) {
      const child = spawn(process.execPath, [outfile, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      const listeners = new Set<() => void>();
      const hear = (chunk: Buffer): void => {
        output += chunk.toString();
        for (const listener of listeners) listener();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      const ended = new Promise<{ how: string; output: string }>((resolve) => {
        child.once('close', (code, signal) => resolve({ how: signal ?? `exit ${code}`, output }));
      });
      return {
        process: child,
        ended,
        says: (text) =>
          new Promise((resolve, reject) => {
            const check = (): void => {
              if (!output.includes(text)) return;
              listeners.delete(check);
              resolve();
            };
            listeners.add(check);
            check();
            void ended.then(({ how }) =>
              reject(new Error(`It ended (${how}) before it said ${text}: ${output}`)),
            );
          }),
      };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
