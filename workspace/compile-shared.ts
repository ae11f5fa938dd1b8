import type { WorkspaceSource } from '../schemas/index.ts';

/** Whether all subjects share it: it says so, or it is the ratio of two that do. */
export function isSharedFeature(source: WorkspaceSource, name: string): boolean {
  const feature = Object.hasOwn(source.features, name) ? source.features[name] : undefined;
  if (feature === undefined) return false;
  if (feature.kind === 'ratio')
    return [feature.numerator, feature.denominator].every((input) => isStoredShared(source, input));
  return isStoredShared(source, name);
}

/** What a shared feature's values are keyed by; null: it is one number. */
export function sharedKeyOf(source: WorkspaceSource, name: string): string | null {
  const feature = source.features[name];
  return feature !== undefined && 'by' in feature ? (feature.by ?? null) : null;
}

function isStoredShared(source: WorkspaceSource, name: string): boolean {
  const feature = Object.hasOwn(source.features, name) ? source.features[name] : undefined;
  return feature !== undefined && 'shared' in feature && feature.shared === true;
}
