import { join } from 'node:path';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import { openEmbeddedWarehouse } from '../../sinks/clickhouse/index.ts';
import { checkWorkspace, clientOf } from '../instance/client.ts';
import { findInstance } from '../instance/registry.ts';
import { type Context, folderOf, type SharedOptions, withShared } from './context.ts';

interface SqlOptions extends SharedOptions {
  readonly tables?: boolean;
  readonly format?: string;
  readonly data?: string;
}

const listTables = `SELECT name, engine, total_rows AS rows, comment FROM system.tables WHERE database = currentDatabase() AND NOT startsWith(name, '.') ORDER BY name`;

export function sqlCommand(program: Command, context: Context): void {
  withShared(program.command('sql [query]'))
    .description('ask ClickHouse, read-only; works while Presage runs and while it does not')
    .option('--tables', 'list tables and views')
    .option('-f, --format <name>', 'any ClickHouse output format', 'PrettyCompactMonoBlock')
    .option('--data <dir>', 'data folder, when no instance is running')
    .addHelpText(
      'after',
      "\nExamples:\n  $ npx presage sql 'select count() from events'\n  $ npx presage sql 'select action, count() from decisions group by action' --format CSVWithNames",
    )
    .action(async (query: string | undefined, options: SqlOptions) => {
      const sql = options.tables ? listTables : query;
      if (sql === undefined || sql.trim() === '')
        throw new PresageError(
          'usage',
          "Which query? npx presage sql 'select count() from events', or --tables.",
        );
      const format = options.json ? 'JSON' : (options.format ?? 'PrettyCompactMonoBlock');
      if (!/^\w+$/.test(format))
        throw new PresageError(
          'usage',
          `--format: "${format}" is no ClickHouse output format; try CSVWithNames or JSONEachRow.`,
        );
      context.bytes(await run(sql, format, options, context));
    });
}

async function run(query: string, format: string, options: SqlOptions, context: Context): Promise<Buffer> {
  const running = await findInstance(context.environment.stateFolder, options.port);
  if (running !== null) {
    checkWorkspace(
      running,
      options.port,
      options.workspace === undefined ? null : folderOf(options.workspace),
    );
    return clientOf(running).postBytes('/api/sql', { query, format });
  }
  const folder = join(options.data ?? join(folderOf(options.workspace), '.presage'), 'clickhouse');
  const warehouse = await openEmbeddedWarehouse({ folder, mustExist: true });
  try {
    return await warehouse.queryBytes(query, { format });
  } finally {
    await warehouse.close();
  }
}
