import type { FeatureValue } from '../../../schemas/index.ts';
import { formatNumber } from './number.ts';

const shownEntries = 8;

/** A feature value as one line. `null` is `no value`, never an empty place. */
export function formatValue(value: FeatureValue | undefined): string {
  if (value === null || value === undefined) return 'no value';
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'string') return value === '' ? '(empty)' : value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (isList(value)) return value.length === 0 ? '(none)' : withRest(value);
  const entries = Object.entries(value).map(([key, count]) => `${key} ${formatNumber(count)}`);
  return entries.length === 0 ? '(none)' : withRest(entries);
}

export const isList = (value: FeatureValue): value is readonly string[] => Array.isArray(value);

/** Anything that a client sent, as one line. */
export function formatAnything(value: unknown): string {
  if (
    typeof value === 'number' ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    value === null
  ) {
    return formatValue(value);
  }
  return JSON.stringify(value) ?? 'no value';
}

function withRest(parts: readonly string[]): string {
  const rest = parts.length - shownEntries;
  return `${parts.slice(0, shownEntries).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** Whether two feature values are the same to a reader. */
export const sameValue = (a: FeatureValue | undefined, b: FeatureValue | undefined): boolean =>
  a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));
