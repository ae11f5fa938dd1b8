/** What one query may take. */
export const queryLimits = { seconds: 30, memoryMb: 1_024, resultMb: 32 } as const;

const megabyte = 1024 * 1024;
const mostRows = 1_000_000;

/** ClickHouse settings of a connection that only reads. `readonly` comes last: after it nothing can be set. */
export function readSettings(limits: {
  readonly seconds: number;
  readonly memoryMb: number;
  readonly resultMb: number;
}): readonly (readonly [name: string, value: string])[] {
  return [
    ['max_execution_time', String(limits.seconds)],
    ['timeout_overflow_mode', 'throw'],
    ['max_memory_usage', String(limits.memoryMb * megabyte)],
    ['max_result_bytes', String(limits.resultMb * megabyte)],
    // Bytes are counted before formatting, which can make ten of one; rows bound that.
    ['max_result_rows', String(mostRows)],
    ['result_overflow_mode', 'throw'],
    // Half of the smallest machine: a long query must not keep decisions from a core.
    ['max_threads', '1'],
    // Numbers in JSON are numbers on every server, whatever its own default.
    ['output_format_json_quote_64bit_integers', '0'],
    ['readonly', '1'],
  ];
}
