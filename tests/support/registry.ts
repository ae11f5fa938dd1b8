import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/kafka/broker.mjs';
import { waitFor } from './program.ts';

/** A real Confluent-compatible registry: Apicurio, from Maven Central, on Java 17 or newer. */
const version = '3.0.9';
const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
/** Outside the repository, so that it is downloaded once a machine. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'presage-tests');

export interface TestRegistry {
  /** Of its Confluent API. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Why no registry can run here, or null. */
export function registryIsMissing(): string | null {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.error !== undefined || java.status !== 0) return 'there is no Java';
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1]);
  if (!(major >= 17)) return `Java ${major} is too old; 17 is needed`;
  if (existsSync(unpacked())) return null;
  return spawnSync('mvn', ['-version']).status === 0 ? null : 'there is no Maven to download it with';
}

/** Starts one on a free port of the loopback interface, with its data in memory. */
export async function startTestRegistry(): Promise<TestRegistry> {
  const folder = await install();
  const port = await freePort();
  const jar = readdirSync(folder).find((file) => file.endsWith('-runner.jar'));
  const home = await mkdtemp(join(tmpdir(), 'presage-registry-'));
  const child = spawn(
    'java',
    [
      '-Xmx256m',
      // It lives for seconds: compiled quickly is better than compiled well.
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `${folder}/${jar}:${folder}/lib/*`,
      `-Dquarkus.http.port=${port}`,
      '-Dquarkus.http.host=127.0.0.1',
      'io.quarkus.runner.GeneratedMain',
    ],
    { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    });
  }
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  try {
    await waitFor('the schema registry', async () => {
      if (child.exitCode !== null) throw new Error(output);
      return (await fetch(`${url}/subjects`)).ok;
    });
  } catch (error) {
    await end(child);
    throw new Error(`${(error as Error).message}\n${output}`);
  }
  return {
    url,
    stop: async () => {
      await end(child);
      await rm(home, { recursive: true, force: true });
    },
  };
}

const unpacked = (): string => join(cache, `apicurio-registry-${version}`);

async function install(): Promise<string> {
  const folder = unpacked();
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  run('mvn', ['-q', '-B', 'dependency:get', `-Dartifact=${artifact}`, '-Dtransitive=false']);
  const archive = join(
    homedir(),
    '.m2/repository/io/apicurio/apicurio-registry-app',
    version,
    `apicurio-registry-app-${version}-all.tar.gz`,
  );
  const sum = createHash('sha1')
    .update(await readFile(archive))
    .digest('hex');
  if (sum !== sha1) throw new Error(`${archive} is not what was published: SHA-1 ${sum}`);
  // Unpacked beside it and renamed, so that a test run that is cut off leaves nothing half done.
  const half = await mkdtemp(join(cache, 'unpacking-'));
  run('tar', ['-xzf', archive, '-C', half]);
  await rename(half, folder).catch(async () => rm(half, { recursive: true, force: true }));
  return folder;
}

const sha1 = '4deac01752711c32da5662e7b778b61c5e904746';

function run(command: string, args: readonly string[]): void {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr || done.stdout}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await ended;
}
