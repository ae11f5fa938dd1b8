import { join } from 'node:path';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/index.ts';
import { type Context, folderOf, type SharedOptions } from '../commands/context.ts';
import { checkWorkspace, clientOf } from './client.ts';
import { findInstance } from './registry.ts';

/** Asks ClickHouse; rows as objects. */
export type Ask = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** The running instance's ClickHouse, else the one in the data folder. */
export async function openStore(
  options: SharedOptions & { readonly data?: string },
  context: Context,
): Promise<{ ask: Ask; close(): Promise<void> }> {
  const format = 'JSONEachRow';
  const running = await findInstance(context.environment.stateFolder, options.port);
  if (running !== null) {
    checkWorkspace(
      running,
      options.port,
      options.workspace === undefined ? null : folderOf(options.workspace),
    );
    const client = clientOf(running);
    return {
      ask: async (query) => rowsOf(await client.postBytes('/api/sql', { query, format })),
      close: async () => {},
    };
  }
  const folder = join(options.data ?? join(folderOf(options.workspace), '.presage'), 'clickhouse');
  const warehouse = await openEmbeddedWarehouse({ folder, mustExist: true });
  return {
    ask: async (query) => rowsOf(await warehouse.queryBytes(query, { format })),
    close: () => warehouse.close(),
  };
}

const rowsOf = (body: Buffer): Record<string, unknown>[] =>
  body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A text in a query. */
export const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
