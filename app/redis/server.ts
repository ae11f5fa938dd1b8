import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { messageOf, PresageError } from '../../core/index.ts';
import { endPredecessor, readRecord, writeRecord } from './predecessor.ts';
import { ping } from './probe.ts';
import { type RedisSettings, serverArguments, socketElsewhere, socketIn } from './settings.ts';
import { checkRedisVersion } from './version.ts';
import { lastWords, logFileOf } from './words.ts';

export interface RedisServerOptions extends RedisSettings {
  /** redis-server or valkey-server, >= 7. */
  readonly binary: string;
  /** Holds the data; made if missing. One server at a time. */
  readonly folder: string;
  /** A port on 127.0.0.1; by default the server listens on a unix socket only, which no other user can open. */
  readonly port?: number;
  /** Called once if the server ends without having been told to. */
  readonly onExit?: (why: string) => void;
}

export interface RedisServer {
  /** For `redisConnector`: a socket path, or `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly pid: number;
  /** Ends it in order; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would: `onExit` is called. For tests. */
  kill(): Promise<void>;
}

/** One server process: what it is asked to be, and how it ended. */
interface Attempt {
  readonly child: ChildProcess;
  readonly address: string;
  readonly logFile: string;
  /** Where this process's part of the log file begins, in bytes. */
  readonly logFrom: number;
  readonly gone: Promise<string>;
}

const patience = { startMs: 30_000, loadMs: 600_000, stopMs: 20_000 } as const;

/**
 * Starts a private redis-server and waits until it serves. A server that an earlier, killed program left behind on the
 * same folder is stopped first. Throws PresageError `redis_missing`, `redis_too_old`, `data_folder_in_use`,
 * `port_taken` or `redis_failed` (with Redis's own last words).
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  await checkRedisVersion(options.binary);
  const folder = await makeFolder(options.folder);
  await endPredecessor(folder);
  const address = options.port === undefined ? await socketOf(folder) : await freePort(options.port);
  try {
    return running(await attempt(options, folder, address), options.onExit);
  } catch (error) {
    const isSocketRefused = address.startsWith(folder) && /unix socket/i.test(messageOf(error));
    if (!isSocketRefused) throw error;
    return running(await attempt(options, folder, await socketElsewhere()), options.onExit);
  }
}

/** A restart keeps the address, so that clients find the new server. */
async function socketOf(folder: string): Promise<string> {
  const last = (await readRecord(folder))?.address;
  return last?.startsWith('/') && existsSync(dirname(last)) ? last : socketIn(folder);
}

async function attempt(options: RedisServerOptions, folder: string, address: string): Promise<Attempt> {
  const logFile = logFileOf(folder);
  const log = openSync(logFile, 'a', 0o600);
  const logFrom = fstatSync(log).size;
  const child = spawn(options.binary, serverArguments(options, folder, address), {
    cwd: folder,
    // A process group of its own: Ctrl-C reaches the program, which drains before it stops its Redis.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const started = { child, address, logFile, logFrom, gone };
  try {
    await writeRecord(folder, address, child.pid ?? 0);
    await untilServing(started);
    return started;
  } catch (error) {
    child.kill('SIGKILL');
    throw await explained(error, options, started);
  }
}

function running(
  { child, address, logFile, logFrom, gone }: Attempt,
  onExit: ((why: string) => void) | undefined,
): RedisServer {
  let isToldToStop = false;
  // If the program ends without stopping it (an error nobody caught), the server ends too, in order.
  const endWithProgram = (): void => {
    child.kill('SIGTERM');
  };
  process.once('exit', endWithProgram);
  gone.then(async (how) => {
    process.off('exit', endWithProgram);
    if (!isToldToStop) onExit?.(`redis-server ended (${how}): ${await lastWords(logFile, logFrom)}`);
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

async function untilServing({ child, gone, address }: Attempt): Promise<void> {
  let end: string | null = null;
  gone.then((how) => {
    end = how;
  });
  const begun = performance.now();
  for (;;) {
    const answer = await ping(address);
    if (end !== null) throw new Error(`it ended at once (${end})`);
    if (answer === 'ready') return;
    const most = answer === 'loading' ? patience.loadMs : patience.startMs;
    if (performance.now() - begun > most)
      throw new Error(`process ${child.pid} did not answer within ${most / 1_000} s`);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 10)), gone]);
  }
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

/** Asked by listening there for a moment: whatever holds the port need not speak Redis. */
function freePort(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(portTaken(port)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(`127.0.0.1:${port}`)));
  });
}

const portTaken = (port: number | undefined): PresageError =>
  new PresageError(
    'port_taken',
    `Redis cannot listen on 127.0.0.1:${port}: the port is already taken. Choose another one, or stop what listens there.`,
  );

async function explained(
  error: unknown,
  options: RedisServerOptions,
  { logFile, logFrom }: Attempt,
): Promise<PresageError> {
  const words = await lastWords(logFile, logFrom);
  if (words.includes('Address already in use')) return portTaken(options.port);
  return new PresageError(
    'redis_failed',
    `Redis (${options.binary}) did not start: ${messageOf(error)}. Its last words: ${words} (its whole log: ${logFile})`,
    { cause: error },
  );
}
