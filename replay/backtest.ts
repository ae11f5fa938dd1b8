import { clustersOf } from './clusters.ts';
import { diagnose } from './diagnostics.ts';
import { estimateOf } from './estimate.ts';
import type { Assumption } from './estimators/assumption.ts';
import { chooseThreshold, dm, dr, type Expected, switchDr } from './estimators/modelled.ts';
import { type Bounds, boundsOf, largestOf, widths } from './estimators/ranges.ts';
import { eachRow, meanOf, type Sample, type Terms } from './estimators/sample.ts';
import { clipped, ips, snips, usualClip } from './estimators/weighting.ts';
import { slatesOf, weightsOf } from './estimators/weights.ts';
import { bootstrap } from './intervals/bootstrap.ts';
import { bagged, sumsOfAll } from './intervals/units.ts';
import type { DecisionLog } from './log/decision-log.ts';
import type { Policy } from './policy/policy.ts';
import { refusals, warnings } from './refusals.ts';
import { type Backtest, type Estimate, type EstimateName, estimateNames, verdictOf } from './report.ts';
import { crossFit } from './reward/cross-fit.ts';

export interface BacktestOptions {
  readonly assumption: Assumption;
  /** Most weight in the clipped estimates; null: the square root of the number of decisions. */
  readonly clip: number | null;
  readonly resamples: number;
  readonly seed: number;
  readonly level: number;
  /** Brought along; null: models of the log's own rewards, cross-fitted. */
  readonly expected: Expected | null;
}

/** More units than this are resampled in random bags (intervals/units.ts). */
const mostUnits = 50_000;

interface Kind {
  readonly terms: Terms;
  /** How far apart two rows' terms can be. */
  readonly width: number;
}

/** Estimates what a policy would have been worth on the decisions of a log. Pure: the same input gives the same bytes. */
export function backtest(log: DecisionLog, policy: Policy, options: BacktestOptions): Backtest {
  const slates = slatesOf(log);
  const units = clustersOf(log, slates);
  const fit = options.expected === null ? crossFit(log, policy, units, options.seed) : null;
  const expected = fit?.expected ?? (options.expected as Expected);
  const sample: Sample = {
    rows: log.rows,
    decisions: slates?.length ?? log.rows,
    reward: log.reward,
    ...weightsOf(log, policy, options.assumption, slates),
    group: slates === null ? null : log.position,
    groups: slates === null ? 1 : log.positions.length,
  };
  const clip = options.clip ?? usualClip(sample);
  const bounds = boundsOf(sample);
  const threshold = chooseThreshold(sample, expected, widths.reward(bounds));
  const kinds = kindsOf(sample, expected, bounds, { clip, threshold });
  const all = [...estimateNames.map((name) => kinds[name]), kinds.onPolicy, kinds.difference];
  const bags = bagged(units, mostUnits, options.seed);
  const intervals = bootstrap(
    sumsOfAll(
      all.map(({ terms }) => terms),
      sample,
      bags,
    ),
    options,
  );
  const slots = slates === null ? 1 : slates.reduce((most, rows) => Math.max(most, rows.length), 1);
  // A slate without a slot has nothing there.
  const least = slots === 1 ? bounds.leastReward : slots * Math.min(0, bounds.leastReward);
  const most = slots === 1 ? bounds.mostReward : slots * Math.max(0, bounds.mostReward);
  const estimates = all.map((kind, place) =>
    estimateOf(kind.terms, sample, units, {
      width: kind.width,
      level: options.level,
      bootstrapped: intervals[place] ?? null,
      ...(kind === kinds.difference ? { least: least - most, most: most - least } : { least, most }),
    }),
  );
  const [onPolicy, difference] = estimates.slice(-2) as [Estimate, Estimate];
  const diagnostics = diagnose(log, policy, sample, units);
  const shares = estimateNames.map((estimate, place) => ({
    estimate,
    share: estimates[place]?.largestRow ?? 0,
  }));
  return {
    policy: policy.name,
    assumption: options.assumption,
    decision: slates === null ? 'row' : 'slate',
    rows: log.rows,
    decisions: sample.decisions,
    units: { kind: log.subject !== null ? 'subject' : slates !== null ? 'slate' : 'row', count: units.count },
    deterministic: { rows: log.deterministic, share: log.deterministic / (log.deterministic + log.rows) },
    onPolicy,
    estimates: Object.fromEntries(
      estimateNames.map((name, place) => [name, estimates[place]]),
    ) as Backtest['estimates'],
    switchThreshold: threshold,
    clip,
    difference: { ...difference, verdict: verdictOf(difference.bootstrap) },
    ess: diagnostics.ess,
    diagnostics,
    model: fit?.quality ?? null,
    refused: refusals(diagnostics, shares),
    warnings: warnings(diagnostics, fit?.quality ?? null),
  };
}

function kindsOf(
  sample: Sample,
  expected: Expected,
  bounds: Bounds,
  { clip, threshold }: { clip: number; threshold: number },
): Record<EstimateName | 'onPolicy' | 'difference', Kind> {
  // Where nothing is cut the estimates are the same ones.
  const isCut = clip < bounds.mostWeight;
  const light = isCut ? clipped(sample, clip) : sample;
  const ofIps = ips(sample);
  const ofLightIps = isCut ? ips(light) : ofIps;
  const atMost = (weight: number): Bounds => ({
    ...bounds,
    mostWeight: Math.min(weight, bounds.mostWeight),
  });
  const before = largestOf(sample.before);
  const ofDr = dr(sample, expected);
  const drWidth = widths.dr(bounds, expected, before);
  const gain = eachRow(sample, (row) => (ofDr.numerator[row] as number) - (sample.reward[row] as number));
  return {
    ips: { terms: ofIps, width: widths.ips(bounds) },
    snips: { terms: snips(ofIps, sample), width: widths.snips(bounds) },
    dm: { terms: dm(sample, expected), width: widths.dm(bounds, expected, before) },
    dr: { terms: ofDr, width: drWidth },
    switchDr: {
      terms: threshold < bounds.mostWeight ? switchDr(sample, expected, threshold) : ofDr,
      width: widths.dr(atMost(threshold), expected, before),
    },
    clippedIps: { terms: ofLightIps, width: widths.ips(atMost(clip)) },
    clippedSnips: { terms: snips(ofLightIps, light), width: widths.snips(atMost(clip)) },
    clippedDr: {
      terms: isCut ? dr(light, expected) : ofDr,
      width: widths.dr(atMost(clip), expected, before),
    },
    onPolicy: { terms: meanOf(sample.reward), width: widths.reward(bounds) },
    difference: { terms: meanOf(gain), width: drWidth + widths.reward(bounds) },
  };
}
