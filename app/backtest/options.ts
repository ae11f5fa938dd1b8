import { PresageError } from '../../core/index.ts';
import type { Assumption } from '../../replay/index.ts';
import { anyDuration, durationMs } from '../../schemas/duration.ts';
import type { SharedOptions } from '../commands/context.ts';

export interface BacktestCommandOptions extends SharedOptions {
  readonly log?: string;
  readonly map?: string;
  readonly decisions?: boolean;
  readonly placement?: string;
  readonly tenant?: string;
  readonly outcome: string;
  readonly olderThan: number;
  readonly withSimulated?: boolean;
  readonly data?: string;
  readonly policy?: string;
  readonly expected?: string;
  readonly assume: Assumption;
  readonly clip?: number;
  readonly resamples: number;
  readonly seed: number;
  readonly learn?: boolean;
  readonly against?: string;
  readonly splits: number;
}

export function parsePositive(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new PresageError('usage', `expected a number above 0, got "${text}".`);
}

export function parseWhole(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= 1_000_000) return number;
  throw new PresageError('usage', `expected a whole number from 1 to 1,000,000, got "${text}".`);
}

/** Milliseconds. */
export function parseAge(text: string): number {
  if (text === '0') return 0;
  if (anyDuration.safeParse(text).success) return durationMs(text);
  throw new PresageError('usage', `--older-than: expected a duration such as 30m, 12h or 7d, got "${text}".`);
}
