import type { Warehouse } from '../port.ts';
import { type TableName, tableNames } from '../rows/tables.ts';

/** Removes everything of simulated visitors; how many rows that was. Resolves when no query sees them any more. */
export async function deleteSimulated(warehouse: Pick<Warehouse, 'rows' | 'command'>): Promise<number> {
  let removed = 0;
  for (const table of tableNames) {
    const rows = await countOf(warehouse, table, 'WHERE simulated');
    if (rows === 0) continue;
    await warehouse.command(`ALTER TABLE ${table} DELETE WHERE simulated SETTINGS mutations_sync = 1`);
    removed += rows;
  }
  return removed;
}

/** Removes all rows of all tables; how many that was. What the sink has in flight may be written afterwards. */
export async function deleteAll(warehouse: Pick<Warehouse, 'rows' | 'command'>): Promise<number> {
  let removed = 0;
  for (const table of tableNames) {
    const rows = await countOf(warehouse, table, '');
    if (rows === 0) continue;
    await warehouse.command(`TRUNCATE TABLE ${table}`);
    removed += rows;
  }
  return removed;
}

async function countOf(warehouse: Pick<Warehouse, 'rows'>, table: TableName, where: string): Promise<number> {
  const [row] = await warehouse.rows<{ rows: string | number }>(
    `SELECT count() AS rows FROM ${table} ${where}`,
  );
  return Number(row?.rows ?? 0);
}
