// Builds dist/: TypeScript, the Lua, SQL, Python and plain JavaScript files beside it, the browser client, the console.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stampInstalled } from '../app/newcomer/prepare.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);
if (!existsSync(bin('tsc'))) {
  // `npm ci --omit=dev` has nothing to build with; a built dist/ is then brought along.
  process.stderr.write('presage: build skipped, since the development packages are not installed\n');
  process.exit(0);
}

const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
run(bin('tsc'), ['-p', 'tsconfig.build.json']);
// npx runs the file itself.
chmodSync(join(dist, 'app', 'cli.js'), 0o755);
for (const folder of ['stream', 'sinks', 'scorers', 'app/training']) {
  for (const entry of readdirSync(join(root, folder), { recursive: true })) {
    if (!/\.(lua|sql|mjs|py|txt)$/.test(entry)) continue;
    const target = join(dist, folder, entry);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, folder, entry), target);
  }
}
if (existsSync(join(root, 'scripts', 'build-client.mjs'))) {
  const { buildClient } = await import('./build-client.mjs');
  await buildClient();
}
if (existsSync(join(root, 'console', 'vite.config.ts'))) {
  run(bin('vite'), ['build', '--config', join('console', 'vite.config.ts'), '--logLevel', 'warn', 'console']);
}
stampInstalled();
writeFileSync(join(dist, '.built'), `${new Date().toISOString()}\n`);

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
