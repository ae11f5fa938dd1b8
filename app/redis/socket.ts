import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of unix sockets end at 104 bytes on macOS, 108 on Linux. */
const longestPath = 100;

/** Where a server of a data folder is reached, and who started it; kept in the folder as `server.json`. */
export interface ServerRecord {
  readonly address: string;
  readonly pid: number;
  /** The process that started it. */
  readonly owner: number;
}

const recordOf = (folder: string): string => join(folder, 'server.json');

export async function readServerRecord(folder: string): Promise<ServerRecord | null> {
  try {
    return JSON.parse(await readFile(recordOf(folder), 'utf8')) as ServerRecord;
  } catch {
    return null;
  }
}

export const writeServerRecord = (folder: string, record: ServerRecord): Promise<void> =>
  writeFile(recordOf(folder), JSON.stringify(record), { mode: 0o600 });

/** A socket in the data folder; where its path would be too long, in a private folder of the system's. */
export async function socketPath(folder: string): Promise<string> {
  const path = join(folder, 'redis.sock');
  if (Buffer.byteLength(path) <= longestPath) return path;
  return join(await mkdtemp(join(tmpdir(), 'presage-')), 'redis.sock');
}

export type PingAnswer = 'ready' | 'loading' | 'nobody';

/** Asks the server at `address` (a socket path or `127.0.0.1:port`) whether it serves. */
export function ping(address: string, withinMs = 1_000): Promise<PingAnswer> {
  return ask(address, 'PING\r\n', withinMs).then((line) => {
    if (line.startsWith('+PONG')) return 'ready';
    return line === '' ? 'nobody' : 'loading';
  });
}

/** Asks a server to stop; resolves when it closed the connection, or after `withinMs`. */
export async function askToStop(address: string, withinMs: number): Promise<void> {
  await ask(address, 'SHUTDOWN NOSAVE\r\n', withinMs);
}

/** Sends one inline command; resolves with the first line of the answer, '' when there was none. */
function ask(address: string, command: string, withinMs: number): Promise<string> {
  return new Promise((resolve) => {
    const [host, port] = address.startsWith('/') ? [] : address.split(':');
    const socket =
      port === undefined
        ? createConnection({ path: address })
        : createConnection({ host: host ?? '', port: Number(port) });
    let answer = '';
    const finish = (): void => {
      socket.destroy();
      resolve(answer.split('\r\n')[0] ?? '');
    };
    socket.setTimeout(withinMs, finish);
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on('connect', () => socket.write(command));
    socket.on('data', (data) => {
      answer += data.toString('utf8');
      if (answer.includes('\n')) finish();
    });
  });
}
