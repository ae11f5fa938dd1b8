import { z } from 'zod';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longest = '3650d';

/** Milliseconds of a duration that the schema has accepted: `500ms`, `30s`, `5m`, `1h`, `7d`. */
export function durationMs(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(amount) * unitMs[unit as keyof typeof unitMs];
}

/** `500ms`, `30s`, `5m`, `1h`, `7d`: of any length, for what has a bound of its own. */
export const anyDuration = z
  .string()
  .regex(/^[1-9][0-9]*(ms|s|m|h|d)$/, 'a duration such as 30s, 5m, 1h or 7d')
  .describe('A duration: 500ms, 30s, 5m, 1h, 7d.');

/** Of at most ten years: more is a slip of the keyboard. */
export const duration = anyDuration
  .refine((text) => !(durationMs(text) > durationMs(longest)), `a duration of at most ${longest}`)
  .describe('A duration: 500ms, 30s, 5m, 1h, 7d.');
