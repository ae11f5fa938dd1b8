/** ClickHouse as we use it. Adapters: in-process (chdb) and a server, both through @clickhouse/client. */
export interface Warehouse {
  /**
   * Runs somebody's query, read-only and within limits of time, memory and size, and returns the body in `format` (any
   * ClickHouse output format; a FORMAT in the query wins). PresageError `sql_refused` (not a reading query, or it would
   * reach outside ClickHouse), `sql_failed` with ClickHouse's own message, `warehouse_busy` or `warehouse_unavailable`
   * (both retriable).
   */
  query(
    sql: string,
    options?: { readonly format?: string; readonly parameters?: Readonly<Record<string, unknown>> },
  ): Promise<string>;
  /** The same as bytes: for formats that are no text (Parquet, Arrow, Native...). */
  queryBytes(
    sql: string,
    options?: { readonly format?: string; readonly parameters?: Readonly<Record<string, unknown>> },
  ): Promise<Buffer>;
  /** One of our own queries, as rows; read-only, never for SQL from outside. The same errors. */
  rows<T>(sql: string, parameters?: Readonly<Record<string, unknown>>): Promise<T[]>;
  command(sql: string): Promise<void>;
  /**
   * Inserts NDJSON rows (text, or its UTF-8 bytes, which are not copied). The same `token` twice inserts once. Resolves
   * when they are durable. `warehouse_unavailable` and `no_disk_space` are retriable: the outcome may be unknown, and
   * the same call with the same token settles it. `insert_refused`: ClickHouse can't read a row.
   */
  insert(table: string, ndjson: string | Uint8Array, token: string): Promise<void>;
  close(): Promise<void>;
}
