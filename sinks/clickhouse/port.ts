/** ClickHouse as we use it. Adapters: in-process (chdb) and a server, both through @clickhouse/client. */
export interface Warehouse {
  /** Runs a read-only query and returns the body in `format` (any ClickHouse output format). PresageError `sql_refused` / `sql_failed` with ClickHouse's own message. */
  query(
    sql: string,
    options?: { readonly format?: string; readonly parameters?: Readonly<Record<string, unknown>> },
  ): Promise<string>;
  /** The same as rows. */
  rows<T>(sql: string, parameters?: Readonly<Record<string, unknown>>): Promise<T[]>;
  command(sql: string): Promise<void>;
  /** Inserts NDJSON rows. The same `token` twice inserts once. Resolves when they are durable. `warehouse_unavailable` is retriable. */
  insert(table: string, ndjson: string, token: string): Promise<void>;
  close(): Promise<void>;
}
