import { ClickHouseLogLevel } from '@clickhouse/client';

/** The client would print every error with its stack; whoever made the call is told already. */
export const silent = { level: ClickHouseLogLevel.OFF };
