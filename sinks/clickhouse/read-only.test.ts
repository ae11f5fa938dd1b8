import { describe, expect, it } from 'vitest';
import { canonicalQuery, refusalOf } from './read-only.ts';

describe('which queries may run (as ClickHouse has formatted them)', () => {
  it.each([
    'SELECT count() FROM events',
    'WITH 1 AS x SELECT x',
    'SELECT 1 UNION ALL SELECT 2',
    'SHOW TABLES',
    'SHOW CREATE TABLE events',
    'DESCRIBE TABLE events',
    'EXPLAIN SYNTAX SELECT 1',
    'EXISTS TABLE events',
    "SELECT JSONExtractString(properties, 'url') AS url FROM events",
    "SELECT JSONExtractString(properties, 'file') FROM events WHERE type = 'INTO OUTFILE'",
    "SELECT 'it\\'s file(1)' AS x",
    'SELECT `a\\`file` FROM events',
  ])('lets through: %s', (query) => {
    expect(refusalOf(query)).toBeNull();
  });

  it.each([
    ['KILL QUERY WHERE 1 ASYNC', 'KILL'],
    ['INSERT INTO events VALUES', 'INSERT'],
    ['SET readonly = 0', 'SET'],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", 'INTO OUTFILE'],
    ["SHOW TABLES INTO OUTFILE '/tmp/x'", 'INTO OUTFILE'],
    ['SELECT 1 PARALLEL WITH KILL QUERY WHERE 1', 'PARALLEL WITH'],
    ["SELECT file('/etc/passwd')", 'file'],
    ["SELECT `file`('/etc/passwd')", 'file'],
    ["SELECT arrayMap(file, ['/etc/passwd'])", 'file'],
    ["SELECT * APPLY file FROM (SELECT '/etc/passwd' AS x)", 'file'],
    ["SELECT `a'`, file('/etc/passwd') AS `b'` FROM (SELECT 1 AS `a'`)", 'file'],
    ["SELECT 'a\\'', file('/etc/passwd'), 'b'", 'file'],
    ["DESCRIBE TABLE url('http://127.0.0.1:1/')", 'url'],
    ["SELECT * FROM s3('http://127.0.0.1/b/k')", 's3'],
    ["EXPLAIN TABLE OVERRIDE mysql('h:1', 'a', 'b', 'c', 'd') COLUMNS (`a` Int8)", 'TABLE OVERRIDE'],
    ["SELECT hasColumnInTable('h', 'u', 'p', 'd', 't', 'c')", 'hasColumnInTable'],
    ['SELECT count() FROM system.stack_trace', 'stack_trace'],
  ])('refuses: %s', (query, named) => {
    expect(refusalOf(query)).toContain(named);
  });

  it('quotes the text that it asks ClickHouse about', () => {
    expect(canonicalQuery("select 'a\\'b'")).toBe(
      "SELECT formatQuerySingleLine('select \\'a\\\\\\'b\\'') FORMAT RawBLOB",
    );
  });

  it('refuses what is empty or endless without asking', () => {
    expect(() => canonicalQuery(' \n')).toThrow('empty');
    expect(() => canonicalQuery(`select '${'x'.repeat(100_001)}'`)).toThrow('longer');
  });
});
