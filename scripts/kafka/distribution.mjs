// Fetches Apache Kafka from Maven Central, once, into a folder of its own in the user's cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pom = fileURLToPath(new URL('pom.xml', import.meta.url));
const leastJava = 17;

/** Null when Kafka can be run here, else what is missing, as a sentence. */
export function whyNoKafka() {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 30_000 });
  if (java.error || java.status !== 0) return `Java ${leastJava} or newer is not installed.`;
  const version = /version "(\d+)/.exec(java.stderr)?.[1];
  if (Number(version) < leastJava) return `Java ${version} is installed, and Kafka needs ${leastJava}.`;
  if (existsSync(join(cacheFolder(), 'libs'))) return null;
  const maven = spawnSync('mvn', ['--version'], { stdio: 'ignore', timeout: 60_000 });
  if (maven.error || maven.status !== 0) return 'Maven, which fetches Kafka, is not installed.';
  return null;
}

/** Folder with `libs/`, Kafka's jars. Throws when Maven can't fetch them. */
export function fetchKafka() {
  const folder = cacheFolder();
  const libs = join(folder, 'libs');
  if (existsSync(libs)) return folder;
  mkdirSync(folder, { recursive: true });
  const incoming = join(folder, `libs.${process.pid}`);
  process.stderr.write('presage: fetching Apache Kafka from Maven Central, once...\n');
  const { status, error, stdout } = spawnSync(
    'mvn',
    ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${incoming}`],
    { encoding: 'utf8', timeout: 540_000 },
  );
  if (error || status !== 0) {
    rmSync(incoming, { recursive: true, force: true });
    throw new Error(`Maven could not fetch Apache Kafka: ${error?.message ?? stdout.slice(-2_000)}`);
  }
  try {
    renameSync(incoming, libs);
  } catch (renaming) {
    // Another process was first.
    rmSync(incoming, { recursive: true, force: true });
    if (!existsSync(libs)) throw renaming;
  }
  return folder;
}

/**
 * The two files that formatting a broker's folder makes. They name no port or path, so one formatting serves every
 * broker (a JVM start less each).
 */
export function formattedFiles(formatInto) {
  const kept = join(cacheFolder(), 'formatted');
  const files = ['meta.properties', 'bootstrap.checkpoint'];
  if (!existsSync(kept)) {
    const incoming = `${kept}.${process.pid}`;
    mkdirSync(incoming, { recursive: true });
    formatInto(incoming);
    try {
      renameSync(incoming, kept);
    } catch (renaming) {
      rmSync(incoming, { recursive: true, force: true });
      if (!existsSync(kept)) throw renaming;
    }
  }
  return files.map((name) => ({ name, bytes: readFileSync(join(kept, name)) }));
}

export function writeFormatted(folder, formatInto) {
  for (const { name, bytes } of formattedFiles(formatInto)) writeFileSync(join(folder, name), bytes);
}

function cacheFolder() {
  const version = /<version>(\d+\.[\d.]+)<\/version>/.exec(readFileSync(pom, 'utf8'))?.[1];
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'presage', `kafka-${version}`);
}
