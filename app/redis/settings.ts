import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RedisSettings {
  readonly maxmemoryMb: number;
  /** `always` where Redis holds the log: an acknowledged event must survive a power cut. */
  readonly fsync: 'always' | 'everysec';
}

/** Paths of unix sockets end at 104 bytes on macOS, 108 on Linux. */
const longestPath = 100;

/** A socket in the data folder, or, where its path would be too long, in a new private folder of the system's. */
export async function socketIn(folder: string): Promise<string> {
  const path = join(folder, 'redis.sock');
  return Buffer.byteLength(path) <= longestPath ? path : socketElsewhere();
}

/** A socket in a new private folder of the system's, for data folders that cannot hold one (some mounted disks). */
export async function socketElsewhere(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'presage-')), 'redis.sock');
}

/** The server's command line: everything it needs, so that no configuration file of the system is read. */
export function serverArguments(settings: RedisSettings, folder: string, address: string): string[] {
  const listen = address.startsWith('/')
    ? { port: '0', unixsocket: address, unixsocketperm: '600' }
    : { port: address.split(':')[1] ?? '0', bind: '127.0.0.1' };
  const all: Record<string, string> = {
    ...listen,
    'protected-mode': 'yes',
    dir: folder,
    daemonize: 'no',
    // The append-only file is the only copy that counts; snapshots beside it would double the writing.
    save: '',
    appendonly: 'yes',
    appendfsync: settings.fsync,
    'aof-load-truncated': 'yes',
    // Blobs are written whole, so the file soon is many times the data: a rewrite at each 64 MB, Redis's default, would
    // keep a core busy. A quarter of the memory is read again in seconds after a restart.
    'auto-aof-rewrite-min-size': `${Math.ceil(settings.maxmemoryMb / 4)}mb`,
    maxmemory: `${settings.maxmemoryMb}mb`,
    'maxmemory-policy': 'noeviction',
    // Database 0 is the stream's; 1 is for jobs.
    databases: '2',
  };
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
}
