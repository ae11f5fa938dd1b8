import { PresageError } from '../../core/index.ts';
import { diagnose } from '../diagnostics.ts';
import { largestShare } from '../estimate.ts';
import { dr } from '../estimators/modelled.ts';
import { eachRow, estimated, meanOf, type Sample } from '../estimators/sample.ts';
import { weightsOf } from '../estimators/weights.ts';
import { bootstrap } from '../intervals/bootstrap.ts';
import { bagged, sumsOf, type Units, unitsOf } from '../intervals/units.ts';
import type { DecisionLog } from '../log/decision-log.ts';
import { subsetOf } from '../log/subset.ts';
import { choosingPolicy, constantPolicy, type Policy } from '../policy/policy.ts';
import { refusals } from '../refusals.ts';
import { verdictOf } from '../report.ts';
import { dealt, fitChosen, rowsWhere } from '../reward/choose.ts';
import { type Family, familyOf, type RewardModel } from '../reward/model.ts';
import type { LearnedReport, Split } from './report.ts';

export interface CompareOptions {
  /** The action that the other policy always takes. */
  readonly against: string;
  readonly splits: number;
  readonly resamples: number;
  readonly seed: number;
  readonly level: number;
}

/**
 * Learns the policy that takes the action of the highest expected reward from one half of the subjects, and compares it
 * on the other half with one that always takes the same action: DR of both, row by row, with the model of the half that
 * learned. The halves are dealt anew for each split.
 *
 * Splits share their rows, so their intervals can't be averaged. The interval of all is the medians of the splits' ends,
 * each at a level of 1 - (1 - level) / 2: Chernozhukov, Demirer, Duflo, Fernandez-Val 2018, "Generic Machine Learning
 * Inference on Heterogeneous Treatment Effects in Randomized Experiments" (medians of intervals have twice the risk).
 * Throws `usage` where the log has slates, or lacks the action.
 */
export function compareLearned(log: DecisionLog, options: CompareOptions): LearnedReport {
  if (log.slate !== null)
    throw new PresageError(
      'usage',
      'A policy can be learned of single decisions only, and the log has slates.',
    );
  const against = log.actions.find(options.against);
  if (against < 0)
    throw new PresageError(
      'usage',
      `The log has no action "${options.against}"; it has: ${log.actions.list.slice(0, 20).join(', ')}.`,
    );
  const family = familyOf(log);
  const units = unitsOf(log, log.subject, null);
  const levelOfSplits = 1 - (1 - options.level) / 2;
  const other = constantPolicy(against, `always ${options.against}`);
  const splits = Array.from({ length: options.splits }, (_, split) =>
    splitOf(log, units, family, other, {
      ...options,
      level: levelOfSplits,
      seed: options.seed + 1_000 * split,
    }),
  );
  const ends = [0, 1].map((end) =>
    median(splits.map(({ interval }) => interval?.[end as 0 | 1] ?? Number.NaN)),
  );
  const interval = ends.every(Number.isFinite) ? ([ends[0], ends[1]] as [number, number]) : null;
  return {
    against: options.against,
    rows: log.rows,
    splits,
    levelOfSplits,
    learned: median(splits.map(({ learned }) => learned)),
    value: median(splits.map(({ against }) => against)),
    difference: {
      value: median(splits.map(({ difference }) => difference)),
      interval,
      verdict: verdictOf(interval),
    },
    splitsAbove: splits.filter(({ interval }) => interval !== null && interval[0] > 0).length,
    model: { family },
    refused: reasonsOf(splits),
  };
}

function splitOf(
  log: DecisionLog,
  units: Units,
  family: Family,
  other: Policy,
  { resamples, seed, level }: CompareOptions,
): Split {
  const half = dealt(units, 2, seed);
  const { model } = fitChosen(
    log,
    rowsWhere(log, (row) => half[row] === 0),
    units,
    family,
    seed + 1,
  );
  const rows = rowsWhere(log, (row) => half[row] === 1);
  const test = subsetOf(log, rows);
  const learned = choosingPolicy(bestOf(log, model, rows), 'learned');
  const testUnits = unitsOf(test, test.subject, null);
  const mine = termsOf(test, learned, model, rows);
  const theirs = termsOf(test, other, model, rows);
  const difference = meanOf(
    eachRow(
      mine.sample,
      (row) => (mine.terms.numerator[row] as number) - (theirs.terms.numerator[row] as number),
    ),
  );
  const bags = bagged(testUnits, 50_000, seed);
  const [interval] = bootstrap([sumsOf(difference, mine.sample, bags)], { resamples, seed, level });
  const diagnostics = diagnose(test, learned, mine.sample, testUnits);
  return {
    learned: estimated(mine.terms, mine.sample),
    against: estimated(theirs.terms, theirs.sample),
    difference: estimated(difference, mine.sample),
    interval: interval ? [interval.low, interval.high] : null,
    ess: diagnostics.ess,
    actions: sharesOf(test, learned),
    refused: refusals(diagnostics, [{ estimate: 'dr', share: largestShare(mine.terms.numerator) }]),
  };
}

/** The action of the highest expected reward among those that the log has at the row's position. */
function bestOf(log: DecisionLog, model: RewardModel, rows: Int32Array): (index: number) => number {
  const seen = log.positions.map(() => new Set<number>());
  for (let row = 0; row < log.rows; row++) seen[log.position[row] as number]?.add(log.action[row] as number);
  const best = rows.map((row) => {
    let chosen = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const action of seen[log.position[row] as number] ?? []) {
      const expected = model.expected(row, action);
      if (expected > most) {
        most = expected;
        chosen = action;
      }
    }
    return chosen;
  });
  return (index) => best[index] as number;
}

function termsOf(test: DecisionLog, policy: Policy, model: RewardModel, rows: Int32Array) {
  const sample: Sample = {
    rows: test.rows,
    decisions: test.rows,
    reward: test.reward,
    ...weightsOf(test, policy, 'independent', null),
    group: null,
    groups: 1,
  };
  const expected = {
    logged: eachRow(sample, (row) => model.expected(rows[row] as number, test.action[row] as number)),
    policy: eachRow(sample, (row) => {
      const { actions, probabilities } = policy.at(row);
      return model.expectedUnder(rows[row] as number, actions, probabilities);
    }),
  };
  return { sample, terms: dr(sample, expected) };
}

function sharesOf(test: DecisionLog, policy: Policy): Record<string, number> {
  const shares: Record<string, number> = Object.fromEntries(test.actions.list.map((name) => [name, 0]));
  for (let row = 0; row < test.rows; row++) {
    const name = test.actions.list[policy.at(row).actions[0] as number] as string;
    shares[name] = (shares[name] as number) + 1 / test.rows;
  }
  return shares;
}

/** A reason that only a few splits have is chance; it is told where half of them have it. */
function reasonsOf(splits: readonly Split[]): string[] {
  const byKind = new Map<string, string[]>();
  for (const reason of splits.flatMap(({ refused }) => refused)) {
    const kind = reason.split(':')[0] as string;
    byKind.set(kind, [...(byKind.get(kind) ?? []), reason]);
  }
  return [...byKind.values()]
    .filter((reasons) => 2 * reasons.length >= splits.length)
    .map((reasons) => `${reasons[0]} (and so in ${reasons.length} of ${splits.length} splits)`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
