import { Readable } from 'node:stream';
import { createClient } from '@clickhouse/client';
import { type Logger, messageOf, PresageError } from '../../core/index.ts';
import { clientWarehouse } from './client-warehouse.ts';
import { clientLane } from './lane.ts';
import { queryLimits, readSettings } from './limits.ts';
import { migrate } from './migrate.ts';
import type { Warehouse } from './port.ts';
import { silent } from './silent.ts';

export interface ServerOptions {
  /** `http://user:password@host:8123/database` */
  readonly url: string;
  readonly logger?: Logger;
  /** Default 60 s. */
  readonly timeoutMs?: number;
}

/** A ClickHouse server, with its tables up to date. Throws `warehouse_unavailable` (also for a wrong password), `migration_changed`. */
export async function openServerWarehouse(options: ServerOptions): Promise<Warehouse> {
  const common = {
    url: options.url,
    application: 'presage',
    log: silent,
    request_timeout: options.timeoutMs ?? 60_000,
  };
  const reading = Object.fromEntries(readSettings(queryLimits));
  let clients: ReturnType<typeof createClient>[] = [];
  try {
    clients = [
      createClient(common),
      createClient({ ...common, clickhouse_settings: reading }),
      createClient({ ...common, clickhouse_settings: reading }),
    ];
  } catch (cause) {
    throw new PresageError('usage', `CLICKHOUSE_URL is not usable: ${messageOf(cause)}`, { cause });
  }
  const [writer, reader, guest] = clients;
  if (writer === undefined || reader === undefined || guest === undefined)
    throw new Error('Three clients were made.');
  const warehouse = clientWarehouse({
    writer,
    reader: clientLane(reader),
    guest: clientLane(guest),
    insert: async (table, ndjson, token) => {
      const { stream } = await writer.exec({
        query: `INSERT INTO ${table} FORMAT JSONEachRow`,
        values: Readable.from([ndjson], { objectMode: false }),
        clickhouse_settings: {
          insert_deduplication_token: token,
          // The reply must mean that the rows are there, whatever the server's own defaults are.
          async_insert: 0,
          wait_end_of_query: 1,
        },
      });
      stream.resume();
    },
    close: async () => {
      await Promise.allSettled(clients.map((client) => client.close()));
    },
  });
  try {
    await migrate(warehouse, options.logger);
  } catch (error) {
    await warehouse.close();
    throw error;
  }
  return warehouse;
}
