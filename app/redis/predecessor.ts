import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PresageError } from '../../core/index.ts';
import { processIdentity } from '../process/identity.ts';
import { askToStop, ping } from './probe.ts';

/** The server of a data folder and the program that started it; kept in the folder as `server.json`. */
export interface ServerRecord {
  /** A socket path, or `127.0.0.1:port`. */
  readonly address: string;
  readonly server: ProcessName;
  readonly program: ProcessName;
}

interface ProcessName {
  readonly pid: number;
  readonly identity: string | null;
}

const stopMs = 20_000;
const recordFile = (folder: string): string => join(folder, 'server.json');

/** What the last program on this folder wrote down; null when there was none. */
export async function readRecord(folder: string): Promise<ServerRecord | null> {
  try {
    return JSON.parse(await readFile(recordFile(folder), 'utf8')) as ServerRecord;
  } catch {
    return null;
  }
}

/** Writes down who serves the folder, so that a later start finds a server that a killed program left behind. */
export async function writeRecord(folder: string, address: string, pid: number): Promise<void> {
  const nameOf = async (id: number): Promise<ProcessName> => ({
    pid: id,
    identity: await processIdentity(id),
  });
  const record: ServerRecord = { address, server: await nameOf(pid), program: await nameOf(process.pid) };
  await writeFile(recordFile(folder), JSON.stringify(record), { mode: 0o600 });
}

/**
 * Stops a server that a killed program left on the folder. Two servers on one append-only file would destroy it, so
 * this throws PresageError `data_folder_in_use` while its program lives, or when it does not stop.
 */
export async function endPredecessor(folder: string): Promise<void> {
  const record = await readRecord(folder);
  if (record === null || !(await isRunning(record.server))) return;
  if (await isRunning(record.program))
    throw inUse(folder, `the program with process id ${record.program.pid} runs on it`);
  if ((await ping(record.address)) !== 'nobody') await askToStop(record.address, stopMs);
  const deadline = performance.now() + stopMs;
  while (await isRunning(record.server)) {
    if (performance.now() > deadline)
      throw inUse(folder, `redis-server ${record.server.pid} of an earlier run does not stop`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function isRunning({ pid, identity }: ProcessName): Promise<boolean> {
  const now = await processIdentity(pid);
  return now !== null && (identity === null || now === identity);
}

const inUse = (folder: string, why: string): PresageError =>
  new PresageError(
    'data_folder_in_use',
    `The data folder ${folder} is in use: ${why}. Stop it first, or choose another folder with --data.`,
  );
