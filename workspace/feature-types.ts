import type { FeatureSource, WorkspaceSource } from '../schemas/index.ts';
import type { Compiling } from './compile-context.ts';
import { isSharedFeature } from './compile-shared.ts';
import type { CelType } from './expression-names.ts';

/** What each feature is in an expression; those whose own definition is wrong count as anything. */
export function featureTypes({
  source,
  names,
}: Pick<Compiling, 'source'> & { readonly names: Pick<Compiling['names'], 'features'> }): ReadonlyMap<
  string,
  CelType
> {
  const types = new Map<string, CelType>();
  for (const name of names.features) {
    const feature = Object.hasOwn(source.features, name) ? source.features[name] : undefined;
    types.set(name, feature === undefined ? 'dyn' : featureType(feature, source));
  }
  return types;
}

function featureType(feature: FeatureSource, source: WorkspaceSource): CelType {
  switch (feature.kind) {
    case 'ratio': {
      // Of two shared features by item: one ratio for each item.
      const above = source.features[feature.numerator];
      const isByKey =
        isSharedFeature(source, feature.numerator) &&
        above !== undefined &&
        'by' in above &&
        above.by !== undefined;
      return isByKey ? 'map<string, double>' : 'double';
    }
    case 'last':
      return feature.type === 'string' ? 'string' : 'double';
    case 'last_n':
    case 'top_k':
      return 'list<string>';
    case 'sequence':
      return feature.measure === 'any' ? 'bool' : 'double';
    case 'derived':
      return feature.type === 'boolean' ? 'bool' : 'double';
    case 'count':
    case 'sum':
    case 'min':
    case 'max':
    case 'mean':
      return feature.by === undefined ? 'double' : 'map<string, double>';
    default:
      return 'double';
  }
}
