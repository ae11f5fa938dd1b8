// Plain JavaScript without dependencies: it runs on a clone where nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const lockStamp = join(root, 'node_modules', '.presage-lock');
const sourceFolders = [
  'schemas',
  'core',
  'workspace',
  'stream',
  'decisions',
  'scorers',
  'sinks',
  'gateway',
  'replay',
  'console',
  'client',
  'app',
];

export function fail(sentence) {
  process.stderr.write(`presage: ${sentence}\n`);
  process.exit(1);
}

/** Node is new enough, the packages of package-lock.json are installed, dist/ is built from these sources. */
export function prepare() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer (https://nodejs.org).`);
  }
  if (process.platform === 'win32')
    fail('Windows is supported through WSL: open a WSL terminal and run the same command there.');
  if (!isInstalled()) {
    process.stderr.write('presage: installing packages (npm ci), once...\n');
    run('npm', ['ci', '--no-audit', '--no-fund'], 'npm ci failed; its last lines above say why.');
    stampInstalled();
  }
  if (!isBuilt()) {
    process.stderr.write('presage: building...\n');
    run(process.execPath, [join(root, 'scripts', 'build.mjs')], 'the build failed; the lines above say why.');
  }
}

export function run(command, args, sentence) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error || status !== 0) fail(sentence);
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

function isInstalled() {
  return existsSync(lockStamp) && readFileSync(lockStamp, 'utf8') === lockHash();
}

export function stampInstalled() {
  if (existsSync(dirname(lockStamp))) writeFileSync(lockStamp, lockHash());
}

function isBuilt() {
  const stamp = join(root, 'dist', '.built');
  if (!existsSync(stamp)) return false;
  const builtAt = statSync(stamp).mtimeMs;
  return !sourceFolders.some((folder) => hasNewer(join(root, folder), builtAt));
}

function hasNewer(folder, builtAt) {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { withFileTypes: true, recursive: true }).some(
    (entry) => entry.isFile() && statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs > builtAt,
  );
}
