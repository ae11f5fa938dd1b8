import { murmur2 } from '../../core/index.ts';
import type { CompiledFeature, CompiledWorkspace } from '../../workspace/index.ts';
import { type FeatureSet, makeFeatureSet } from '../features/index.ts';
import { textOf } from '../features/parts/text.ts';

/** Shared features with the same `by` are kept together: one blob for each shard of its values. */
export interface SharedGroup {
  /** The property that keys them; null: one value for all. */
  readonly by: string | null;
  readonly features: FeatureSet;
  readonly names: readonly string[];
  /** Event types that it counts; null: some feature counts all. */
  readonly types: ReadonlySet<string> | null;
}

/** Fixed, so that readers know every key there is: values are spread over so many blobs, each of bounded size. */
export const sharedShards = 64;

export function sharedGroups({ shared, sessionGapMs }: CompiledWorkspace): readonly SharedGroup[] {
  const groups = new Map<string | null, CompiledFeature[]>();
  for (const feature of shared) {
    if (feature.derived !== null) continue;
    const group = groups.get(feature.by);
    if (group === undefined) groups.set(feature.by, [feature]);
    else group.push(feature);
  }
  return [...groups].map(([by, features]) => ({
    by,
    // Repeats are recognised at the subject, before an event gets here: no ids are kept.
    features: makeFeatureSet({ features, sessionGapMs, deduplicationIds: 0, deduplicationMs: 0 }),
    names: features.map(({ name }) => name),
    types: features.some(({ types }) => types === null)
      ? null
      : new Set(features.flatMap(({ types }) => [...(types ?? [])])),
  }));
}

/** Every key that a group can have for a tenant. No subject's key looks like it: those go on with `u:` or `a:`. */
export function sharedKeys(tenant: string, { by }: SharedGroup): readonly string[] {
  const shards = by === null ? 1 : sharedShards;
  return Array.from({ length: shards }, (_, shard) => keyOf(tenant, by, shard));
}

/** Where an event of the group goes; null: it has no value of `by`. */
export function sharedKeyFor(
  tenant: string,
  { by }: SharedGroup,
  properties: Readonly<Record<string, unknown>>,
): string | null {
  if (by === null) return keyOf(tenant, by, 0);
  const value = textOf(properties[by]);
  return value === null ? null : keyOf(tenant, by, murmur2(Buffer.from(value)) % sharedShards);
}

const keyOf = (tenant: string, by: string | null, shard: number): string =>
  `${tenant}:i:${by ?? ''}:${shard}`;
