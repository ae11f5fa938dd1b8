import { boundOf } from '../../stream/features/sql/index.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import type { Difference, FeatureTally } from './port.ts';

export interface Tally {
  /** One decision was compared in these features. */
  compared(features: readonly string[]): void;
  differs(difference: Difference): void;
  isEqual(): boolean;
  features(): readonly FeatureTally[];
  /** The first differences of each feature, those within documented limits last. */
  shown(): readonly Difference[];
}

const shownOfEach = 5;

/** Counts comparisons, a row a feature: those of the workspace, then others that decisions were served. */
export function makeTally(defined: readonly CompiledFeature[]): Tally {
  const rows = new Map<string, FeatureTally>();
  const differences: Difference[] = [];
  for (const feature of defined) {
    rows.set(feature.name, blank(feature.name, feature.kind, boundOf(feature)?.why ?? null));
  }
  const rowOf = (name: string): FeatureTally => {
    const row = rows.get(name) ?? blank(name, 'not in the workspace', null);
    rows.set(name, row);
    return row;
  };
  return {
    compared(features) {
      for (const feature of features) rowOf(feature).compared++;
    },
    differs(difference) {
      const row = rowOf(difference.feature);
      row[difference.isBeyondLimits ? 'beyondLimits' : difference.kind]++;
      const alike = differences.filter(
        ({ feature, isBeyondLimits }) =>
          feature === difference.feature && isBeyondLimits === difference.isBeyondLimits,
      );
      if (alike.length < shownOfEach) differences.push(difference);
    },
    isEqual: () =>
      [...rows.values()].every(({ mismatch, missing, extra }) => mismatch + missing + extra === 0),
    features: () => [...rows.values()],
    shown: () => differences.toSorted((a, b) => Number(a.isBeyondLimits) - Number(b.isBeyondLimits)),
  };
}

const blank = (feature: string, kind: string, bound: string | null): FeatureTally => ({
  feature,
  kind,
  bound,
  compared: 0,
  mismatch: 0,
  missing: 0,
  extra: 0,
  beyondLimits: 0,
});
