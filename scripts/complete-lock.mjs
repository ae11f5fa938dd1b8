// Adds to package-lock.json the platform packages that a partial registry mirror did not serve, so that `npm ci` works
// on every platform and finds the lock file in step. Run after `npm install` behind such a mirror.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
  'aix',
];
const processors = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el'];

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const isPresent =
      `node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages;
    const words = name.split('/').at(-1).split(/[-.]/);
    const os = systems.find((system) => words.includes(system));
    if (isPresent || os === undefined) continue;
    if (!/^\d/.test(version))
      throw new Error(`${name}@${version} of ${path}: only an exact version can be added`);
    const cpu =
      processors.find((processor) => words.includes(processor)) ??
      (words.includes('gnueabihf') || words.includes('musleabihf') ? 'arm' : undefined);
    const libc = words.some((word) => word.startsWith('musl'))
      ? 'musl'
      : words.some((word) => word.startsWith('gnu'))
        ? 'glibc'
        : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(libc && os === 'linux' ? { libc: [libc] } : {}),
      optional: true,
      os: [os],
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added to package-lock.json`);
