import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, statSync } from 'node:fs';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PresageError } from '../../core/index.ts';
import { askToStop, ping, readServerRecord, socketPath, writeServerRecord } from './socket.ts';
import { checkRedisVersion } from './version.ts';

export interface RedisServerOptions {
  /** redis-server or valkey-server, >= 7. */
  readonly binary: string;
  /** Holds the data; made if missing. One server at a time. */
  readonly folder: string;
  /** A port on 127.0.0.1; by default the server listens on a unix socket only, which no other user can open. */
  readonly port?: number;
  readonly maxmemoryMb: number;
  /** `always` where Redis holds the log. */
  readonly fsync: 'always' | 'everysec';
  /** Called once if the server ends without having been told to. */
  readonly onExit?: (why: string) => void;
}

export interface RedisServer {
  /** For `redisConnector`: a socket path, or `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly pid: number;
  /** Ends it in order; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash: does not count as told to, so `onExit` is called. For tests. */
  kill(): Promise<void>;
}

const patience = { startMs: 30_000, loadMs: 600_000, stopMs: 20_000 } as const;
const logBytes = 1_000_000;

/**
 * Starts a private redis-server and waits until it serves. A server that an earlier, killed process left behind on the
 * same folder is stopped first. Throws PresageError `redis_missing`, `redis_too_old`, `data_folder_in_use`,
 * `port_taken` or `redis_failed` (with Redis's own last words).
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  await checkRedisVersion(options.binary);
  const folder = await makeFolder(options.folder);
  await endPredecessor(folder);
  const address =
    options.port === undefined ? await socketPath(folder) : await freePort(`127.0.0.1:${options.port}`);
  const logFile = rotatedLog(folder);
  const child = spawnServer(options, folder, address, logFile);
  const gone = exitOf(child);
  try {
    await untilServing(child, gone, address, options.binary);
    await writeServerRecord(folder, { address, pid: child.pid ?? 0, owner: process.pid });
  } catch (error) {
    child.kill('SIGKILL');
    throw await explained(error, options, logFile);
  }
  return running(child, gone, address, logFile, options.onExit);
}

function running(
  child: ChildProcess,
  gone: Promise<string>,
  address: string,
  logFile: string,
  onExit: ((why: string) => void) | undefined,
): RedisServer {
  let isToldToStop = false;
  gone.then(async (how) => {
    if (!isToldToStop) onExit?.(`redis-server ended (${how}): ${await lastWords(logFile)}`);
  });
  return {
    url: address.startsWith('/') ? address : `redis://${address}`,
    pid: child.pid ?? 0,
    async stop() {
      isToldToStop = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), patience.stopMs);
      await gone;
      clearTimeout(timer);
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await realpath(folder);
  } catch (error) {
    throw new PresageError(
      'redis_failed',
      `Could not make the data folder ${folder} (${messageOf(error)}). Choose another with --data, or give this user write access.`,
      { cause: error },
    );
  }
}

/** Two servers on one append-only file would destroy it, so nothing starts while another answers for the folder. */
async function endPredecessor(folder: string): Promise<void> {
  const record = await readServerRecord(folder);
  if (record === null || (await ping(record.address)) === 'nobody') return;
  if (record.owner !== process.pid && isAlive(record.owner))
    throw inUse(folder, `process ${record.owner} runs Presage on it`);
  await askToStop(record.address, patience.stopMs);
  const deadline = Date.now() + patience.stopMs;
  while (isAlive(record.pid)) {
    if (Date.now() > deadline) throw inUse(folder, `redis-server ${record.pid} does not stop`);
    await pause(20);
  }
}

const inUse = (folder: string, why: string): PresageError =>
  new PresageError(
    'data_folder_in_use',
    `The data folder ${folder} is in use: ${why}. Stop it first, or choose another folder with --data.`,
  );

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function freePort(address: string): Promise<string> {
  if ((await ping(address)) === 'nobody') return address;
  throw new PresageError(
    'port_taken',
    `Port ${address} already has a server. Choose another Redis port, or stop what listens there.`,
  );
}

/** The server's log goes to a file, so that its last words survive it and us; one older file is kept. */
function rotatedLog(folder: string): string {
  const file = join(folder, 'redis.log');
  if (existsSync(file) && statSync(file).size > logBytes) renameSync(file, `${file}.1`);
  return file;
}

function spawnServer(
  options: RedisServerOptions,
  folder: string,
  address: string,
  logFile: string,
): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(options.binary, serverArguments(options, folder, address), {
      cwd: folder,
      // A process group of its own: Ctrl-C reaches the program, which drains before it stops its Redis.
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, LC_ALL: 'C' },
    });
  } finally {
    closeSync(log);
  }
}

function serverArguments(options: RedisServerOptions, folder: string, address: string): string[] {
  const listen = address.startsWith('/')
    ? { port: '0', unixsocket: address, unixsocketperm: '600' }
    : { port: address.split(':')[1] ?? '0', bind: '127.0.0.1' };
  const settings: Record<string, string> = {
    ...listen,
    'protected-mode': 'yes',
    dir: folder,
    daemonize: 'no',
    // The append-only file is the only copy that counts; snapshots beside it would double the writing.
    save: '',
    appendonly: 'yes',
    appendfsync: options.fsync,
    'aof-load-truncated': 'yes',
    maxmemory: `${options.maxmemoryMb}mb`,
    'maxmemory-policy': 'noeviction',
    databases: '2',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

async function untilServing(
  child: ChildProcess,
  gone: Promise<string>,
  address: string,
  binary: string,
): Promise<void> {
  let end: string | null = null;
  gone.then((how) => {
    end = how;
  });
  const begun = Date.now();
  for (;;) {
    const answer = await ping(address);
    if (end !== null) throw new Error(`${binary} ended at once (${end})`);
    if (answer === 'ready') return;
    const most = answer === 'loading' ? patience.loadMs : patience.startMs;
    if (Date.now() - begun > most)
      throw new Error(`${binary} (pid ${child.pid}) did not answer within ${most / 1_000} s`);
    await Promise.race([pause(10), gone]);
  }
}

async function explained(
  error: unknown,
  options: RedisServerOptions,
  logFile: string,
): Promise<PresageError> {
  const words = await lastWords(logFile);
  if (words.includes('Address already in use'))
    return new PresageError(
      'port_taken',
      `Port 127.0.0.1:${options.port} is already taken. Choose another Redis port, or stop what listens there.`,
    );
  return new PresageError(
    'redis_failed',
    `Could not start Redis: ${messageOf(error)}. Its last words: ${words} (all of them: ${logFile})`,
    { cause: error },
  );
}

/** The last lines of Redis's log that say something, in one line. */
async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\d+:[A-Z] .*? [.\-*#] /, '').trim())
    .filter((line) => line !== '');
  return lines.slice(-3).join(' | ') || 'none';
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
