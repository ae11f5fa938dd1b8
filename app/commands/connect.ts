import { join } from 'node:path';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/index.ts';
import { checkWorkspace, clientOf } from '../instance/client.ts';
import { findInstance } from '../instance/registry.ts';
import type { Ask } from '../parity/port.ts';
import { type Context, folderOf, type SharedOptions } from './context.ts';

export interface Connection {
  readonly ask: Ask;
  readonly folder: string;
  close(): Promise<void>;
}

/** Through the running instance, as `presage sql`; where none runs, the data folder itself. */
export async function connect(
  options: SharedOptions & { readonly data?: string },
  context: Context,
): Promise<Connection> {
  const running = await findInstance(context.environment.stateFolder, options.port);
  if (running !== null) {
    const named = options.workspace === undefined ? null : folderOf(options.workspace);
    checkWorkspace(running, options.port, named);
    const client = clientOf(running);
    const ask = async <T>(query: string): Promise<T[]> =>
      (await client.post<{ data: T[] }>('/api/sql', { query, format: 'JSON' })).data;
    return { ask, folder: running.workspace, close: async () => {} };
  }
  const folder = folderOf(options.workspace);
  const data = join(options.data ?? join(folder, '.presage'), 'clickhouse');
  const warehouse = await openEmbeddedWarehouse({ folder: data, mustExist: true });
  return { ask: (query) => warehouse.rows(query), folder, close: () => warehouse.close() };
}
