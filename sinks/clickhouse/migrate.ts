import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { type Logger, PresageError } from '../../core/index.ts';
import type { Warehouse } from './port.ts';

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly statements: readonly string[];
}

const table = `CREATE TABLE IF NOT EXISTS presage_migrations
(
    version UInt32,
    name String,
    checksum String,
    applied DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Which files of sinks/clickhouse/migrations were applied'`;

/**
 * Applies the numbered files of `folder` that this ClickHouse has not had yet, in order, each once. A statement may run
 * twice (a crash between it and its record), so files hold only statements that can. Throws `migration_changed` when a
 * file that was applied is not what it was, or `migration_unknown` when ClickHouse has had newer ones than this version
 * of Presage knows.
 */
export async function migrate(
  warehouse: Warehouse,
  logger?: Logger,
  folder: URL = new URL('./migrations/', import.meta.url),
): Promise<void> {
  const migrations = await readMigrations(folder);
  await warehouse.command(table);
  const applied = new Map(
    (
      await warehouse.rows<{ version: number; name: string; checksum: string }>(
        'SELECT version, any(name) AS name, argMin(checksum, applied) AS checksum FROM presage_migrations GROUP BY version',
      )
    ).map((row) => [Number(row.version), row]),
  );
  for (const [version, { name }] of applied) {
    if (!migrations.some((migration) => migration.version === version))
      throw new PresageError(
        'migration_unknown',
        `These tables were made by a newer Presage (migration ${name}): use that version or a newer one.`,
      );
  }
  for (const migration of migrations) {
    const before = applied.get(migration.version);
    if (before !== undefined) {
      if (before.checksum !== migration.checksum) throw changed(migration);
      continue;
    }
    for (const statement of migration.statements) await warehouse.command(statement);
    const row = { version: migration.version, name: migration.name, checksum: migration.checksum };
    await warehouse.insert(
      'presage_migrations',
      `${JSON.stringify(row)}\n`,
      `migration:${migration.version}`,
    );
    logger?.info({ migration: migration.name }, 'ClickHouse migration applied');
  }
}

const changed = (migration: Migration): PresageError =>
  new PresageError(
    'migration_changed',
    `Migration ${migration.name} was changed after it had been applied here: put it back as it was, and add a new one.`,
  );

async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(/^(\d{4})_\w+\.sql$/.exec(name)?.[1]);
      if (version !== index + 1)
        throw new Error(`Migrations are numbered 0001, 0002...: ${name} is not number ${index + 1}.`);
      const text = await readFile(new URL(name, folder), 'utf8');
      return {
        version,
        name: name.slice(0, -'.sql'.length),
        checksum: createHash('sha256').update(text).digest('hex'),
        statements: statementsOf(text),
      };
    }),
  );
}

/** A statement ends with a semicolon at the end of a line; lines of comment are left out. */
function statementsOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
