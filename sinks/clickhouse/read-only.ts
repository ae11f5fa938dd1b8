import { PresageError } from '../../core/index.ts';

/**
 * What may be asked. ClickHouse's `readonly` already refuses to write tables, to change settings and most that reaches
 * outside; the rest is refused here: writing files (INTO OUTFILE), reading them (`file`), ending queries, and functions
 * that open connections before `readonly` is looked at.
 */
const firstWords = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'EXPLAIN', 'EXISTS', '(']);

/** Functions that reach outside. The name alone is refused: higher-order functions take it without parentheses. */
const outsideFunctions = /\b(file|catboostEvaluate|hasColumnInTable|ai[A-Z]\w*|AI[A-Z]\w*)\b/;

/** Table functions that reach outside; as words they are common column names, so only a call is refused. */
const outsideTables =
  /\b(url|s3|gcs|oss|cosn|hdfs|azureBlobStorage|remote|remoteSecure|cluster|clusterAllReplicas|mysql|postgresql|mongodb|redis|sqlite|odbc|jdbc|executable|input|filesystem|iceberg\w*|deltaLake\w*|hudi\w*|paimon\w*|ytsaurus|arrowstream|dictionary|loop|eval|prometheus\w*|\w+Cluster)\s*\(/i;

const forms: readonly (readonly [form: RegExp, name: string])[] = [
  [/\bINTO OUTFILE\b/, 'INTO OUTFILE'],
  [/\bPARALLEL WITH\b/, 'PARALLEL WITH'],
  [/^EXPLAIN TABLE OVERRIDE\b/, 'EXPLAIN TABLE OVERRIDE'],
  [/\bsystem\.stack_trace\b/, 'system.stack_trace'],
];

/**
 * Why a query is not let through; null: it may run. `canonical` is one statement as ClickHouse itself has parsed and
 * formatted it (`formatQuerySingleLine`): no comments, one spelling of everything.
 */
export function refusalOf(canonical: string): string | null {
  const bare = withoutLiterals(canonical);
  const first = /^(\(|\w+)/.exec(bare)?.[1] ?? '';
  if (!firstWords.has(first))
    return `Only reading is allowed here (SELECT, SHOW, DESCRIBE, EXPLAIN, EXISTS), not ${first === '' ? 'this' : first}.`;
  for (const [form, name] of forms) if (form.test(bare)) return `${name} is not allowed here.`;
  const outside = outsideFunctions.exec(bare)?.[1] ?? outsideTables.exec(bare)?.[1];
  return outside === undefined
    ? null
    : `"${outside}" reaches outside of ClickHouse and is not allowed here; a column of that name needs another alias.`;
}

/** Strings become '', quoted identifiers bare words, so that what is left is only names, keywords and operators. */
function withoutLiterals(canonical: string): string {
  return canonical.replace(
    /'(?:[^'\\]|\\.|'')*'|`((?:[^`\\]|\\.|``)*)`/gs,
    (_whole, name: string | undefined) => (name === undefined ? "''" : /^\w+$/.test(name) ? name : '_'),
  );
}

const longestSql = 100_000;

/** The query that asks ClickHouse for a query's canonical form, or throws `sql_refused` for what can't be asked at all. */
export function canonicalQuery(sql: string): string {
  if (sql.trim() === '') throw refused('The query is empty.');
  if (sql.length > longestSql)
    throw refused(`The query is longer than ${longestSql.toLocaleString('en-US')} characters.`);
  return `SELECT formatQuerySingleLine('${sql.replace(/[\\']/g, '\\$&')}') FORMAT RawBLOB`;
}

/** PresageError `sql_refused`. */
export const refused = (why: string): PresageError => new PresageError('sql_refused', why);
