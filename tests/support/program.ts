import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/kafka/broker.mjs';
import { patienceMs } from './patience.ts';

export const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const cli = join(root, 'dist', 'app', 'cli.js');

/** Polls until the answer is not undefined/false/null; fails with what it waited for. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  timeoutMs = 2 * patienceMs,
): Promise<T> {
  const givesUpAt = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > givesUpAt)
      throw new Error(
        `Waited ${timeoutMs} ms in vain for: ${what}${last instanceof Error ? ` (${last.message})` : ''}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A folder for one test: data, state and everything else; removed by `remove`. */
export interface Home {
  readonly folder: string;
  readonly data: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** `extra` is added to the environment of its programs. */
export async function makeHome(extra: NodeJS.ProcessEnv = {}): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-test-'));
  const { REDIS_URL: _redis, CLICKHOUSE_URL: _clickhouse, KAFKA_BROKERS: _kafka, ...env } = process.env;
  return {
    folder,
    data: join(folder, 'data'),
    port: await freePort(),
    env: { ...env, XDG_STATE_HOME: join(folder, 'state'), PRESAGE_LOG_LEVEL: 'warn', ...extra },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  };
}

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly output: { out: string; err: string };
  readonly finished: Promise<Finished>;
}

/** Runs `presage ...args` as a program of its own. */
export function presage(
  home: Home,
  args: readonly string[],
  options: { cwd?: string; input?: Buffer } = {},
): Running {
  if (!existsSync(cli)) throw new Error('dist/ is missing: run npm test, or npm run build first.');
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? root,
    env: home.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    output.out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.err += chunk.toString();
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  const finished = new Promise<Finished>((resolve) =>
    child.on('close', (code) => resolve({ code, ...output })),
  );
  return { child, output, finished };
}

export interface Program extends Running {
  readonly address: string;
  token(): Promise<string>;
  /** Asks as administrator; the body as JSON. */
  ask<T>(path: string, body?: unknown): Promise<T>;
  sql<T>(query: string): Promise<T[]>;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<Finished>;
  kill(): Promise<void>;
}

/** Starts an instance and waits until /readyz says ready. */
export async function startProgram(
  home: Home,
  workspace: string,
  extra: readonly string[] = [],
): Promise<Program> {
  const address = `http://127.0.0.1:${home.port}`;
  const running = presage(home, [
    'start',
    '--workspace',
    workspace,
    '--data',
    home.data,
    '--port',
    String(home.port),
    '--no-open',
    ...extra,
  ]);
  let ended: Finished | null = null;
  running.finished.then((finished) => {
    ended = finished;
  });
  await waitFor('the program to be ready', async () => {
    if (ended !== null) return true;
    const response = await fetch(`${address}/readyz`).catch(() => null);
    return response?.ok;
  });
  if (ended !== null) throw new Error(`The program ended: ${JSON.stringify(ended)}`);

  const token = async (): Promise<string> => {
    const file = join(home.folder, 'state', 'presage', 'instances', `${home.port}.json`);
    return (JSON.parse(await readFile(file, 'utf8')) as { token: string }).token;
  };
  const ask = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${address}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${await token()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    ...running,
    address,
    token,
    ask,
    sql: async <T>(query: string) => (await ask<{ data: T[] }>('/api/sql', { query, format: 'JSON' })).data,
    stop: async () => {
      running.child.kill('SIGINT');
      return running.finished;
    },
    kill: async () => {
      running.child.kill('SIGKILL');
      await running.finished;
    },
  };
}
