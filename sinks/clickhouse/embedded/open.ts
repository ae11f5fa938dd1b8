import { mkdir, stat } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { Session } from 'chdb';
import { type ChdbConnection, createChdbConnection } from 'chdb/connection';
import { type Logger, messageOf, PresageError } from '../../../core/index.ts';
import { clientWarehouse } from '../client-warehouse.ts';
import { renewingLane } from '../lane.ts';
import { queryLimits, readSettings } from '../limits.ts';
import { migrate } from '../migrate.ts';
import type { Warehouse } from '../port.ts';
import { silent } from '../silent.ts';
import { type FolderLock, folderInUse, lockFolder } from './lock.ts';

export interface EmbeddedOptions {
  /** Holds ClickHouse's data; made if missing. One process at a time. */
  readonly folder: string;
  readonly logger?: Logger;
  /** Throws `no_data` instead of making the folder. */
  readonly mustExist?: boolean;
  /** What ClickHouse may use of the machine's memory, in MB; default a quarter, at most 4 GB. */
  readonly memoryMb?: number;
}

/**
 * ClickHouse in this process (chdb), with its tables up to date. Throws `data_folder_in_use`, `data_folder_unusable`,
 * `no_data`, `no_disk_space`, `migration_changed`.
 */
export async function openEmbeddedWarehouse(options: EmbeddedOptions): Promise<Warehouse> {
  const folder = resolve(options.folder);
  if (options.mustExist === true && !(await hasData(folder)))
    throw new PresageError(
      'no_data',
      `There is no data in ${folder} yet: run npm start, or name the folder with --data.`,
    );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(folder);
  try {
    const engine = startEngine(folder, options.memoryMb ?? defaultMemoryMb());
    const warehouse = await connect(folder, engine, lock);
    try {
      await migrate(warehouse, options.logger);
      return warehouse;
    } catch (error) {
      await warehouse.close();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

const hasData = (folder: string): Promise<boolean> =>
  stat(join(folder, 'store')).then(
    () => true,
    () => false,
  );

const defaultMemoryMb = (): number =>
  Math.max(512, Math.min(4_096, Math.floor(totalmem() / 4 / 1024 / 1024)));

/** The first session's arguments hold for the engine, which all connections of the process share. */
function startEngine(folder: string, memoryMb: number): Session {
  const bytes = memoryMb * 1024 * 1024;
  const threads = Math.max(1, Math.floor(availableParallelism() / 2));
  const settings = {
    max_server_memory_usage: bytes,
    mark_cache_size: Math.floor(bytes / 16),
    index_mark_cache_size: Math.floor(bytes / 64),
    uncompressed_cache_size: 0,
    query_condition_cache_size: 1024 * 1024,
    background_pool_size: threads,
    background_merges_mutations_concurrency_ratio: 2,
    background_schedule_pool_size: 4,
  };
  try {
    return new Session(folder, {
      connectionArgs: Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    });
  } catch (error) {
    // The engine prints its reason and throws without one; of a folder that could be written to a moment ago it is
    // the lock on its files, held by a process that started together with this one.
    throw /create connection/.test(messageOf(error))
      ? folderInUse(folder, null)
      : new PresageError('data_folder_unusable', `ClickHouse could not open ${folder}: ${messageOf(error)}`, {
          cause: error,
        });
  }
}

async function connect(folder: string, engine: Session, lock: FolderLock): Promise<Warehouse> {
  const connection = createChdbConnection({ path: folder });
  const writer = clientOf(connection);
  const reader = await renewingLane(() => readOnlyClient(folder));
  const guest = await renewingLane(() => readOnlyClient(folder));
  process.on('SIGTSTP', suspend);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    process.off('SIGTSTP', suspend);
    await Promise.allSettled([writer.close(), reader.close(), guest.close()]);
    engine.close();
    await lock.release();
  };
  return clientWarehouse({
    writer,
    reader,
    guest,
    insert: (table, ndjson, token) => insert(connection, table, ndjson, token),
    close: () => {
      closing ??= close();
      return closing;
    },
  });
}

/** chdb is built against another copy of the same interface, which TypeScript takes for another type. */
function clientOf(connection: ChdbConnection): ClickHouseClient {
  return createClient({ connection, log: silent } as unknown as Parameters<typeof createClient>[0]);
}

async function readOnlyClient(folder: string): Promise<ClickHouseClient> {
  const client = clientOf(createChdbConnection({ path: folder }));
  for (const [name, value] of readSettings(queryLimits))
    await client.command({ query: `SET ${name} = '${value}'` });
  return client;
}

/**
 * Past @clickhouse/client, which would make one string of rows and statement and copy it on the event loop: 20,000 rows
 * stalled it 32-38 ms so, and well below 1 ms as a buffer that the engine's own threads read.
 */
async function insert(
  connection: ChdbConnection,
  table: string,
  ndjson: Uint8Array,
  token: string,
): Promise<void> {
  await connection.chdb.rawInsert({
    table,
    format: 'JSONEachRow',
    values: ndjson,
    settings: {
      insert_deduplication_token: token,
      // One thread of the few that decisions need too, and one block whatever the size: the token then names it all.
      max_insert_threads: 1,
      input_format_parallel_parsing: 0,
      max_insert_block_size: 1_000_000,
    },
  });
}

/** The engine catches the terminal's Ctrl-Z and does nothing with it. */
function suspend(): void {
  process.kill(process.pid, 'SIGSTOP');
}
