import { PresageError } from '../core/index.ts';

/** What the exit code of a command says. */
export const exitCodes = {
  ok: 0,
  /** Something failed that is not the caller's mistake. */
  failed: 1,
  /** A mistake in the arguments, the workspace or the input. */
  usage: 2,
  /** No instance is running, or another one than was meant. */
  instance: 3,
  /** A feed ran, but its events are not all accounted for. */
  unaccounted: 4,
  interrupted: 130,
} as const;

const usageCodes = new Set([
  'workspace_invalid',
  'workspace_exists',
  'workspace_missing',
  'workspace_not_written',
  'map_unusable',
  'table_unusable',
  'file_unreadable',
  'sql_refused',
  'sql_failed',
  'usage',
  'too_few_labels',
  'unknown_metric',
  'metric_not_in_sql',
  'unknown_tenant',
  'unknown_placement',
  'key_not_found',
  'key_revoked',
  'key_expired',
  'invalid_request',
  'data_folder_unusable',
  'snapshot_unreadable',
]);

/** The exit code of an error that reached the end of a command. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof PresageError)) return exitCodes.failed;
  if (error.code.startsWith('instance_') || error.code === 'workspace_mismatch') return exitCodes.instance;
  return usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}
