import type { Diagnostics } from './diagnostics.ts';
import type { Assumption } from './estimators/assumption.ts';
import type { ModelQuality } from './reward/cross-fit.ts';

export interface Estimate {
  readonly value: number;
  readonly standardError: number | null;
  readonly bootstrap: readonly [number, number] | null;
  readonly empiricalBernstein: readonly [number, number] | null;
  /** The largest row's part of the sum of all rows' terms. */
  readonly largestRow: number;
}

export const estimateNames = [
  'ips',
  'snips',
  'dm',
  'dr',
  'switchDr',
  'clippedIps',
  'clippedSnips',
  'clippedDr',
] as const;
export type EstimateName = (typeof estimateNames)[number];

export type Verdict = 'better' | 'worse' | 'no evidence of better';

export interface Backtest {
  readonly policy: string;
  readonly assumption: Assumption;
  /** What one decision is: the estimates are values of one. */
  readonly decision: 'row' | 'slate';
  readonly rows: number;
  readonly decisions: number;
  readonly units: { readonly kind: 'subject' | 'slate' | 'row'; readonly count: number };
  /** Rows that were made where nothing could be drawn, and their share of all. */
  readonly deterministic: { readonly rows: number; readonly share: number };
  /** The mean reward of the log: the value of the policy that made it. */
  readonly onPolicy: Estimate;
  readonly estimates: Readonly<Record<EstimateName, Estimate>>;
  readonly switchThreshold: number;
  readonly clip: number;
  /** DR minus the log's own value, over the same resamples. */
  readonly difference: Estimate & { readonly verdict: Verdict };
  readonly ess: number;
  readonly diagnostics: Diagnostics;
  /** null: expected rewards were brought along. */
  readonly model: ModelQuality | null;
  readonly refused: readonly string[];
  readonly warnings: readonly string[];
}

/** What an interval of a difference says; one that includes 0 says nothing. */
export function verdictOf(interval: readonly [number, number] | null): Verdict {
  if (interval === null) return 'no evidence of better';
  return interval[0] > 0 ? 'better' : interval[1] < 0 ? 'worse' : 'no evidence of better';
}
