import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildProgram, childProgram } from '../../../tests/support/child.ts';
import { openEmbeddedWarehouse, type Warehouse } from '../index.ts';
import { migrate } from '../migrate.ts';
import { lockFolder } from './lock.ts';

let folder: string;
let warehouse: Warehouse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-chdb-'));
  warehouse = await openEmbeddedWarehouse({ folder });
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

const tsv = (sql: string): Promise<string> => warehouse.query(sql, { format: 'TSV' });

describe('tables', () => {
  it('are there under the names that people query', async () => {
    expect((await tsv('show tables')).trim().split('\n')).toEqual(
      expect.arrayContaining([
        'control_events',
        'dead_letters',
        'decisions',
        'duplicates',
        'events',
        'late_events',
        'exposures',
        'outcomes',
      ]),
    );
  });

  it('forget by time of arrival, all of them, and tell repeated inserts', async () => {
    const tables = await warehouse.rows<{ name: string; ddl: string }>(
      "SELECT name, create_table_query AS ddl FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'presage_migrations'",
    );
    expect(tables).toHaveLength(11);
    for (const { name, ddl } of tables) {
      expect(ddl, name).toMatch(/TTL toDateTime\(received\) \+ toIntervalDay\(\d+\)/);
      expect(ddl, name).toContain('PARTITION BY toYYYYMM(received)');
      expect(ddl, name).toContain('non_replicated_deduplication_window');
    }
  });

  it('are made by migrations that run once', async () => {
    const before = await tsv('SELECT * FROM presage_migrations');
    await migrate(warehouse);
    await migrate(warehouse);
    expect(await tsv('SELECT * FROM presage_migrations')).toBe(before);
  });

  it('are refused when a migration was changed, or is from the future', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'presage-migrations-'));
    await cp(new URL('../migrations/', import.meta.url), copy, { recursive: true });
    const url = pathToFileURL(`${copy}/`);
    const file = join(copy, '0002_views.sql');
    await writeFile(file, `${await readFile(file, 'utf8')}-- a later thought\n`);
    await expect(migrate(warehouse, undefined, url)).rejects.toMatchObject({
      code: 'migration_changed',
      message: expect.stringContaining('0002_views'),
    });
    for (const name of await readdir(copy)) if (name !== '0001_tables.sql') await rm(join(copy, name));
    await expect(migrate(warehouse, undefined, url)).rejects.toMatchObject({ code: 'migration_unknown' });
    await rm(copy, { recursive: true });
  });
});

describe('inserting', () => {
  const row = (position: number): string =>
    `${JSON.stringify({ tenant: 'shop', partition: 9, position, received: Date.UTC(2026, 0, 1) })}\n`;
  const count = (): Promise<string> => tsv('SELECT count() FROM duplicates WHERE partition = 9');

  it('takes a block once, however often it is sent, and another block of the same rows', async () => {
    await warehouse.command(
      'CREATE TABLE plain (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10',
    );
    for (const token of ['t1', 't1', 't2', 't1']) await warehouse.insert('plain', '{"a":1}\n', token);
    expect(await tsv('SELECT count() FROM plain')).toBe('2\n');
  });

  it('takes text and bytes', async () => {
    await warehouse.insert('duplicate_rows', row(1), 'text');
    await warehouse.insert('duplicate_rows', Buffer.from(row(2)), 'bytes');
    await warehouse.insert('duplicate_rows', '', 'nothing');
    expect(await count()).toBe('2\n');
  });

  it('keeps other calls from waiting: the event loop turns while 20,000 rows go in', async () => {
    const rows = Buffer.from(Array.from({ length: 20_000 }, (_, i) => row(1_000 + i)).join(''));
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    count();
    await warehouse.insert('duplicate_rows', rows, 'many');
    isDone = true;
    expect(turns).toBeGreaterThan(50);
  });

  it('says what is wrong with a row or a table', async () => {
    await expect(warehouse.insert('duplicate_rows', '{"position":"x"}\n', 'bad')).rejects.toMatchObject({
      code: 'insert_refused',
      retriable: false,
    });
    await expect(warehouse.command('DROP TABLE nope')).rejects.toMatchObject({ code: 'insert_refused' });
  });
});

describe('querying', () => {
  it('answers in any format, and a FORMAT in the query wins', async () => {
    expect(await tsv('select 1, 2')).toBe('1\t2\n');
    expect(await warehouse.query('select 1 as a', { format: 'CSVWithNames' })).toBe('"a"\n1\n');
    expect(await warehouse.query('select 1 as a format JSONEachRow', { format: 'CSV' })).toBe('{"a":1}\n');
    expect(await warehouse.query('select 1;', { format: 'PrettyCompactMonoBlock' })).toContain('┌─1─┐');
    const parquet = await warehouse.queryBytes('select 1', { format: 'Parquet' });
    expect(parquet.subarray(0, 4).toString() + parquet.subarray(-4).toString()).toBe('PAR1PAR1');
    await expect(warehouse.query('select 1', { format: 'Nope' })).rejects.toThrow('Unknown format Nope.');
  });

  it('takes parameters as values', async () => {
    const text = "it's \\ a\ttab\n; drop table events";
    expect(await warehouse.rows('SELECT {x:String} AS x', { x: text })).toEqual([{ x: text }]);
    expect(await warehouse.query('SELECT {x:UInt8} + 1', { format: 'TSV', parameters: { x: 4 } })).toBe(
      '5\n',
    );
  });

  it('says what is wrong in a sentence of ClickHouse, without its noise', async () => {
    const failing = async (sql: string): Promise<{ code: string; message: string }> =>
      warehouse.query(sql).then(
        () => ({ code: 'none', message: '' }),
        (error: { code: string; message: string }) => error,
      );
    expect(await failing('selec 1')).toMatchObject({
      code: 'sql_failed',
      message: expect.stringMatching(/^Syntax error: failed at position 7 \(1\): 1\.$/),
    });
    expect(await failing('select * from nope')).toMatchObject({
      code: 'sql_failed',
      message: expect.stringMatching(/^Unknown table expression identifier 'nope'\..*--tables/),
    });
    expect(await failing('select number from numbers(50000000)')).toMatchObject({
      message: expect.stringContaining('add a LIMIT'),
    });
    expect(await failing('select groupArray(number) from numbers(1000000000)')).toMatchObject({
      message: expect.stringContaining('memory'),
    });
  });

  it('answers a query with its own result only, whatever happened to the one before', async () => {
    for (let i = 0; i < 3; i++) {
      await expect(tsv('select number from numbers(50000000)')).rejects.toMatchObject({ code: 'sql_failed' });
      expect(await tsv('select 7')).toBe('7\n');
      await expect(warehouse.rows('SELECT number FROM numbers(50000000)')).rejects.toMatchObject({
        code: 'sql_failed',
      });
      expect(await warehouse.rows('SELECT 8 AS x')).toEqual([{ x: 8 }]);
    }
  });

  it.each([
    'drop table events',
    'insert into events (id) values (1)',
    'alter table events delete where 1',
    'truncate table events',
    'optimize table events',
    'create table x (a Int8) engine = Memory',
    'create temporary table x (a Int8) engine = Memory',
    'set readonly = 0',
    'select 1 settings readonly = 0',
    'select 1 settings max_execution_time = 0',
    'system shutdown',
    'kill query where 1',
    'use system',
    'grant all on *.* to default',
    "backup table events to File('/tmp/presage-hostile')",
    "attach table x from '/tmp' (a Int8) engine = Memory",
    'select 1; drop table events',
    'select 1; select 2',
    "select 1 into outfile '/tmp/presage-hostile'",
    "select 1 /* x */ into /* y */ outfile '/tmp/presage-hostile'",
    "show tables into outfile '/tmp/presage-hostile'",
    "select file('/etc/hostname')",
    'select "file"(\'/etc/hostname\')',
    "select arrayMap(file, ['/etc/hostname'])",
    "select * apply file from (select '/etc/hostname' as x)",
    "select * from file('/etc/hostname', 'LineAsString')",
    'select * from `/etc/hostname`',
    "describe file('/etc/hostname')",
    "describe url('http://127.0.0.1:1/')",
    "select * from url('http://127.0.0.1:1/', 'LineAsString')",
    "select * from executable('id', 'TSV', 'a String')",
    "select * from remote('127.0.0.1', 'system.one')",
    "select * from eval('drop table events')",
    "select * from sqlite('/tmp/x', 't')",
  ])('refuses: %s', async (sql) => {
    await expect(warehouse.query(sql)).rejects.toMatchObject({
      code: expect.stringMatching(/^sql_(refused|failed)$/),
    });
    expect(existsSync('/tmp/presage-hostile')).toBe(false);
    expect(await tsv('exists table events')).toBe('1\n');
  });

  it('does not let our own reading write either', async () => {
    await expect(warehouse.rows('TRUNCATE TABLE events')).rejects.toMatchObject({ code: 'sql_failed' });
  });

  it("does not hold up our own queries behind somebody's slow one", async () => {
    // On a busy machine our own may take longer than the slow one: then against a slower one.
    let wasInTime = false;
    for (const seconds of [1, 3]) {
      let isSlowOneRunning = true;
      const slow = tsv(`select sleep(${seconds})`).finally(() => {
        isSlowOneRunning = false;
      });
      await warehouse.rows('SELECT 1 AS x');
      await warehouse.insert('presage_migrations', '', 'none');
      wasInTime ||= isSlowOneRunning;
      await slow;
      if (wasInTime) return;
    }
    expect(wasInTime).toBe(true);
  });
});

describe('the data folder', () => {
  let child: ChildProgram;
  beforeAll(async () => {
    child = await childProgram(new URL('./open.child.fixture.ts', import.meta.url));
  });
  afterAll(() => child.remove());

  it('belongs to one process: a second one is told which', async () => {
    const { how, output } = await child.start(folder).ended;
    expect(how).toBe('exit 3');
    expect(output).toBe(
      `refused: data_folder_in_use: The data folder ${folder} is in use by process ${process.pid}: stop that one first, or choose another folder with --data.\n`,
    );
  });

  it('is guarded by ClickHouse itself too, should our lock be gone', async () => {
    await rm(join(folder, 'presage.lock'));
    const { output } = await child.start(folder).ended;
    expect(output).toContain('refused: data_folder_in_use');
  });

  it('is free again after kill -9, although the lock is still there', async () => {
    const other = await mkdtemp(join(tmpdir(), 'presage-killed-'));
    const first = child.start(other);
    await first.says('opened');
    first.process.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(other, 'presage.lock'))).toBe(true);
    const second = child.start(other);
    await second.says('opened');
    second.process.kill('SIGKILL');
    await second.ended;
    await rm(other, { recursive: true });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('does not keep %s from ending the process', async (signal) => {
    const other = await mkdtemp(join(tmpdir(), 'presage-signal-'));
    const running = child.start(other);
    await running.says('opened');
    running.process.kill(signal);
    expect((await running.ended).how).toBe(signal);
    await rm(other, { recursive: true });
  });

  it('is not locked by a process that has the number of a dead one', async () => {
    const other = await mkdtemp(join(tmpdir(), 'presage-stale-'));
    await writeFile(join(other, 'presage.lock'), JSON.stringify({ pid: process.pid, began: 'long ago' }));
    const lock = await lockFolder(other);
    await expect(lockFolder(other)).rejects.toMatchObject({ code: 'data_folder_in_use' });
    await lock.release();
    expect(existsSync(join(other, 'presage.lock'))).toBe(false);
    await rm(other, { recursive: true });
  });

  it('must have data where only reading is wanted', async () => {
    await expect(
      openEmbeddedWarehouse({ folder: join(tmpdir(), 'presage-nothing-here'), mustExist: true }),
    ).rejects.toMatchObject({ code: 'no_data' });
    expect(existsSync(join(tmpdir(), 'presage-nothing-here'))).toBe(false);
  });
});
