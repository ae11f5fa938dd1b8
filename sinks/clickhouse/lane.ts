import type { ClickHouseClient, DataFormat } from '@clickhouse/client';

export type QueryParameters = Readonly<Record<string, unknown>>;

/** A way to ask ClickHouse, one query after the other. */
export interface Lane {
  /** The body of the answer in `format`. Throws ClickHouse's own errors. */
  ask(sql: string, format: string, parameters?: QueryParameters): Promise<Buffer>;
  close(): Promise<void>;
}

/** A lane over a client that can be used again after any error. */
export function clientLane(client: ClickHouseClient): Lane {
  return {
    ask: (sql, format, parameters) => bodyOf(client, sql, format, parameters),
    close: () => client.close(),
  };
}

/**
 * A lane that opens another client after an error: of a query that fails half-way through its result, chdb hands the
 * first half to the next query of the same connection.
 */
export async function renewingLane(open: () => Promise<ClickHouseClient>): Promise<Lane> {
  let client: ClickHouseClient | null = await open();
  return {
    async ask(sql, format, parameters) {
      client ??= await open();
      const current = client;
      try {
        return await bodyOf(current, sql, format, parameters);
      } catch (error) {
        client = null;
        await current.close();
        throw error;
      }
    },
    close: async () => client?.close(),
  };
}

async function bodyOf(
  client: ClickHouseClient,
  sql: string,
  format: string,
  parameters: QueryParameters | undefined,
): Promise<Buffer> {
  const { stream } = await client.exec({
    query: sql,
    // The client lists the formats it knows; ClickHouse knows more and says so of one that it doesn't.
    clickhouse_settings: { default_format: format as DataFormat },
    ...(parameters === undefined ? {} : { query_params: { ...parameters } }),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
