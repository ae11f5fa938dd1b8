import type { FeatureValue, FeatureVector } from '../../schemas/index.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import type { SubjectState } from '../features/index.ts';
import { type SharedGroup, sharedKeys } from './groups.ts';

/** A partition's blobs by key, as read in one step. */
export type Partial = ReadonlyMap<string, Uint8Array>;

export interface SharedValues {
  readonly features: FeatureVector;
  /** By partition: the position of the last event counted; -1: none. */
  readonly positions: Readonly<Record<string, number>>;
  /** Where these partitions begin: everything of those before is counted. */
  readonly before?: number;
  /** Event time that the values are of: of the newest event counted; 0: none was. */
  readonly at: number;
  /** How many items each group by a property has, and in how many of its shards there is no room for another. */
  readonly kept: readonly { readonly by: string; readonly items: number; readonly fullShards: number }[];
}

/**
 * The shared features of a tenant: partials of all partitions merged as if all events had come to one, as of the
 * tenant's newest event among them.
 */
export function mergeShared(
  tenant: string,
  groups: readonly SharedGroup[],
  shared: readonly CompiledFeature[],
  partials: readonly Partial[],
): SharedValues {
  const positions: Record<string, number> = Object.fromEntries(
    partials.map((_, partition) => [partition, -1]),
  );
  const merged = groups.map((group) => ({
    group,
    states: sharedKeys(tenant, group).map((key) => {
      let into: SubjectState | null = null;
      for (const [partition, partial] of partials.entries()) {
        const blob = partial.get(key);
        if (blob === undefined) continue;
        const state = group.features.decode(blob);
        positions[partition] = Math.max(positions[partition] ?? -1, state.position);
        if (into === null) into = state;
        else group.features.merge(into, state);
      }
      return into ?? group.features.empty();
    }),
  }));
  const newest = merged.flatMap(({ states }) => states.map((state) => state.newest));
  const at = Math.max(
    0,
    newest.reduce((a, b) => Math.max(a, b), -Infinity),
  );
  const values: Record<string, FeatureValue> = {};
  const kept: SharedValues['kept'][number][] = [];
  for (const { group, states } of merged) {
    const vectors = states.map((state) => group.features.read(state, at));
    if (group.by !== null) kept.push({ by: group.by, ...countItems(vectors, group, shared) });
    for (const name of group.names) {
      values[name] =
        group.by === null
          ? (vectors[0]?.[name] ?? null)
          : Object.fromEntries(vectors.flatMap((vector) => Object.entries(vector[name] ?? {})));
    }
  }
  for (const feature of shared)
    if (feature.derived !== null) values[feature.name] = ratio(feature, shared, values);
  return { features: values, positions, at, kept };
}

function countItems(
  vectors: readonly FeatureVector[],
  { names }: SharedGroup,
  shared: readonly CompiledFeature[],
): { readonly items: number; readonly fullShards: number } {
  const most = new Map(shared.map(({ name, keys }) => [name, keys]));
  let items = 0;
  let fullShards = 0;
  for (const vector of vectors) {
    const keys = names.map((name) => Object.keys(vector[name] ?? {}));
    items += new Set(keys.flat()).size;
    if (names.some((name, index) => (keys[index]?.length ?? 0) >= (most.get(name) ?? Infinity))) fullShards++;
  }
  return { items, fullShards };
}

/** Of two maps: a ratio for each key below the line, where nothing counted above it is 0. */
function ratio(
  { derived }: CompiledFeature,
  shared: readonly CompiledFeature[],
  values: FeatureVector,
): FeatureValue {
  if (derived === null) return null;
  const maps = derived.inputs.map((name) => ({ name, map: values[name], blank: blankOf(shared, name) }));
  if (!maps.some(({ map }) => typeof map === 'object' && map !== null)) return derived.compute(values);
  const keys = new Set(maps.flatMap(({ map }) => Object.keys(map ?? {})));
  const result: [string, number][] = [];
  for (const key of keys) {
    const value = derived.compute(
      Object.fromEntries(
        maps.map(({ name, map, blank }) => {
          const byKey = (map ?? {}) as Readonly<Record<string, number>>;
          return [name, Object.hasOwn(byKey, key) ? (byKey[key] ?? blank) : blank];
        }),
      ),
    );
    if (typeof value === 'number') result.push([key, value]);
  }
  return Object.fromEntries(result);
}

function blankOf(shared: readonly CompiledFeature[], name: string): number | null {
  const kind = shared.find((feature) => feature.name === name)?.kind;
  return kind === 'count' || kind === 'sum' ? 0 : null;
}
