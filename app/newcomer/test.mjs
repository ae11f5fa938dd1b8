// `npm test`: everything but the full forms of long tests; brings what it needs and says what it can't.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, prepare, root } from './prepare.mjs';

prepare();

const onPath = (name) => (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name)));
const isUnattended = process.env.CI === 'true' || (process.getuid?.() === 0 && !process.stdin.isTTY);

/** Debian's package, installed where nobody is there to ask; otherwise the command for a person. */
function need(binaries, debianPackage, isRequired, skipped) {
  if (binaries.some(onPath)) return;
  if (isUnattended && process.getuid?.() === 0 && onPath('apt-get')) {
    process.stderr.write(`presage: installing ${debianPackage}...\n`);
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debianPackage], {
      stdio: ['ignore', 'ignore', 2],
      env,
    });
    if (binaries.some(onPath)) return;
  }
  if (isRequired || process.env.CI === 'true')
    fail(
      `The tests need ${binaries.join(' or ')}: install it (Debian: apt-get install ${debianPackage}; macOS: brew install ${binaries[0].replace('-server', '')}).`,
    );
  process.stderr.write(`presage: SKIPPING ${skipped}: ${binaries.join(' or ')} is not installed.\n`);
}
need(['redis-server', 'valkey-server'], 'redis-server', true);
need(['chromium', 'chromium-browser', 'google-chrome'], 'chromium', false, 'browser tests');
need(['java'], 'openjdk-17-jre-headless', false, 'Kafka tests');
need(['mvn'], 'maven', false, 'Kafka tests');

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
