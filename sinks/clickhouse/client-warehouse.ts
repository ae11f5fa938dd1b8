import type { ClickHouseClient } from '@clickhouse/client';
import { queryError, writeError } from './errors.ts';
import type { Lane, QueryParameters } from './lane.ts';
import { queryLimits } from './limits.ts';
import type { Warehouse } from './port.ts';
import { canonicalQuery, refusalOf, refused } from './read-only.ts';
import { turns } from './turns.ts';

export interface WarehouseClients {
  /** May write; used by one call after the other. */
  readonly writer: ClickHouseClient;
  /** For our own queries, read-only. */
  readonly reader: Lane;
  /** For other people's queries, read-only: a connection runs one query at a time, so theirs never hold up ours. */
  readonly guest: Lane;
  insert(table: string, ndjson: Uint8Array, token: string): Promise<void>;
  close(): Promise<void>;
}

const waitingQueries = 16;

/** The Warehouse over three connections, whatever they lead to. */
export function clientWarehouse(clients: WarehouseClients): Warehouse {
  const asGuest = turns(1, waitingQueries);
  const asReader = turns(1, 64);

  async function askFor(
    lane: Lane,
    sql: string,
    format: string,
    parameters?: QueryParameters,
  ): Promise<Buffer> {
    try {
      return await lane.ask(sql, format, parameters);
    } catch (error) {
      throw queryError(error, queryLimits);
    }
  }

  const queryBytes: Warehouse['queryBytes'] = (sql, { format = 'JSON', parameters } = {}) =>
    asGuest(async () => {
      const canonical = await askFor(clients.guest, canonicalQuery(sql), 'RawBLOB');
      const refusal = refusalOf(canonical.toString('utf8'));
      if (refusal !== null) throw refused(refusal);
      // What was looked at is what runs, not the text it was made from.
      return askFor(clients.guest, canonical.toString('utf8'), format, parameters);
    });

  return {
    queryBytes,
    query: async (sql, options) => (await queryBytes(sql, options)).toString('utf8'),

    rows: <T>(sql: string, parameters?: QueryParameters) =>
      asReader(async () => {
        const body = await askFor(clients.reader, sql, 'JSONEachRow', parameters);
        return body
          .toString('utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as T);
      }),

    command: async (sql) => {
      try {
        await clients.writer.command({ query: sql });
      } catch (error) {
        throw writeError(error, `the command ${sql.trimStart().split(/\s+/, 3).join(' ')}`);
      }
    },

    insert: async (table, ndjson, token) => {
      const bytes = typeof ndjson === 'string' ? Buffer.from(ndjson, 'utf8') : ndjson;
      if (bytes.length === 0) return;
      try {
        await clients.insert(table, bytes, token);
      } catch (error) {
        throw writeError(error, `rows of ${table}`);
      }
    },

    close: () => clients.close(),
  };
}
