/**
 * One NDJSON line, newline included, that ClickHouse can always read: half surrogate pairs, which JSON.stringify writes
 * as escapes and ClickHouse refuses, become U+FFFD. Numbers must be finite, and whole where the column is.
 */
export function lineOf(row: object): string {
  const text = JSON.stringify(row);
  // Only half pairs come out as `\ud...`: whole ones are written as they are. So the slow way is all but never taken.
  return `${text.includes('\\ud') ? JSON.stringify(row, wellFormed) : text}\n`;
}

const wellFormed = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\uFFFD') : value;

const latest = Date.UTC(2299, 0, 1);

/** A time that DateTime64(3) can hold, as whole Unix milliseconds. */
export const timeOf = (ms: number): number => countOf(Math.min(ms, latest));

/** A whole number, not below zero, for an unsigned column. */
export const countOf = (value: number): number =>
  Number.isFinite(value) ? Math.min(Math.max(0, Math.trunc(value)), Number.MAX_SAFE_INTEGER) : 0;
