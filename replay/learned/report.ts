import type { Verdict } from '../report.ts';
import type { ModelQuality } from '../reward/cross-fit.ts';

/** One split: a policy learned on one half of the subjects, compared on the other. */
export interface Split {
  /** DR on the test half. */
  readonly learned: number;
  readonly against: number;
  /** Learned minus against, row by row, with its interval at `levelOfSplits`. */
  readonly difference: number;
  readonly interval: readonly [number, number] | null;
  readonly ess: number;
  /** How often the learned policy takes each action, on the test half. */
  readonly actions: Readonly<Record<string, number>>;
  readonly refused: readonly string[];
}

export interface LearnedReport {
  readonly against: string;
  readonly rows: number;
  readonly splits: readonly Split[];
  readonly levelOfSplits: number;
  /** Medians over splits. */
  readonly learned: number;
  readonly value: number;
  readonly difference: {
    readonly value: number;
    readonly interval: readonly [number, number] | null;
    readonly verdict: Verdict;
  };
  /** Splits whose own interval lies above 0. */
  readonly splitsAbove: number;
  readonly model: Pick<ModelQuality, 'family'>;
  /** Reasons of any split, each kind once, with how many splits it holds for. */
  readonly refused: readonly string[];
}
