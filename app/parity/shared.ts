import { murmur2 } from '../../core/index.ts';
import type { FeatureValue } from '../../schemas/index.ts';
import { conditionSql, featureQuery } from '../../stream/features/sql/index.ts';
import { sharedShards } from '../../stream/shared/index.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import { differenceOf } from './compare.ts';
import { isTooLarge } from './halve.ts';
import type { Difference, ParityOptions, Served, SharedReport } from './port.ts';
import type { Sample } from './sample.ts';
import { eventsIn, keysIn, pointAt, type Snapshot, snapshotsOf, timeOf } from './shared-events.ts';
import type { Tally } from './tally.ts';

/** Each is computed from all of a tenant's events, so only so many of those that the sample read are. */
const mostSnapshots = 20;

type Values = Readonly<Record<string, FeatureValue>>;

/**
 * Computes shared features as of the snapshots that decisions read, from the events that these say they had counted,
 * and holds them against what was served: exactly. Of features by a property the items that were read are compared.
 */
export async function checkShared(
  options: ParityOptions,
  { reached, begunAt }: Pick<Sample, 'reached' | 'begunAt'>,
  served: readonly Served[],
  tally: Tally,
): Promise<SharedReport> {
  const { workspace, ask } = options;
  const { told, notTold } = tellable(workspace.shared);
  const counted = told.filter(({ derived }) => derived === null);
  const all = snapshotsOf(served);
  const stored = all.filter(({ positions, before }) =>
    positions.every(
      ([partition, position]) => position < before || position <= (reached.get(partition) ?? -1),
    ),
  );
  const chosen = counted.length === 0 ? [] : stored.slice(0, mostSnapshots);
  const tooYoung = new Set<string>();
  let tooLarge = 0;
  for (const snapshot of chosen) {
    const [computed] = await orNone(async () => {
      const at = await timeOf(snapshot, workspace.shared, ask);
      return { at, values: await valuesAt(options, snapshot, counted, at) };
    });
    if (computed === undefined) {
      tooLarge++;
      continue;
    }
    const { at, values } = computed;
    for (const feature of told) {
      if (begunAt !== null && at - longestWindow(feature, told) < begunAt) {
        tooYoung.add(feature.name);
        continue;
      }
      for (const decision of snapshot.readBy) {
        tally.compared([feature.name]);
        for (const difference of differencesOf(decision, feature, values, told)) {
          const isBeyondLimits = await isFull(options, snapshot, feature, told);
          tally.differs({ ...difference, isBeyondLimits });
        }
      }
    }
  }
  return {
    features: workspace.shared.map(({ name }) => name),
    snapshots: chosen.length - tooLarge,
    tooLarge,
    otherSnapshots: stored.length - chosen.length,
    notYetStored: all.length - stored.length,
    tooYoung: [...tooYoung],
    notTold,
  };
}

/** [] where a query is too much for ClickHouse's limits: a snapshot can't be halved. */
async function orNone<T>(ask: () => Promise<T>): Promise<T[]> {
  try {
    return [await ask()];
  } catch (error) {
    if (isTooLarge(error)) return [];
    throw error;
  }
}

/** Those whose conditions SQL can tell, and those that have others, or are the ratio of one that has. */
function tellable(shared: readonly CompiledFeature[]): {
  readonly told: readonly CompiledFeature[];
  readonly notTold: readonly string[];
} {
  const isUntold = ({ where }: CompiledFeature): boolean =>
    where !== null && conditionSql(where.text) === null;
  const untold = new Set(shared.filter(isUntold).map(({ name }) => name));
  for (const { name, derived } of shared)
    if (derived?.inputs.some((input) => untold.has(input)) === true) untold.add(name);
  return { told: shared.filter(({ name }) => !untold.has(name)), notTold: [...untold] };
}

async function valuesAt(
  { workspace, ask }: ParityOptions,
  snapshot: Snapshot,
  features: readonly CompiledFeature[],
  at: number,
): Promise<Values> {
  const events = eventsIn(snapshot, features);
  const points = pointAt(snapshot, at);
  const condition = ({ where }: CompiledFeature): string | null =>
    where === null ? null : conditionSql(where.text);
  const query = featureQuery({ ...workspace, features }, { points, events, condition });
  const [row] = await ask<Record<string, FeatureValue>>(query.sql);
  return Object.fromEntries(
    query.columns.map(({ feature, column }) => [feature.name, row?.[column] ?? null]),
  );
}

/** Of features by a property, each item that the decision read; of others the value. */
function differencesOf(
  { id, subject, partition, position, time, features }: Served,
  feature: CompiledFeature,
  values: Values,
  shared: readonly CompiledFeature[],
): Omit<Difference, 'isBeyondLimits'>[] {
  const { name } = feature;
  const found = features[name] ?? null;
  if (!isMap(found) && storedOf(feature, shared).some(({ by }) => by !== null)) return [];
  const keys = isMap(found) ? Object.keys(found) : [null];
  return keys.flatMap((key) => {
    const one = isMap(found) && key !== null ? (found[key] ?? null) : found;
    const computed = partOf(feature, key, values, shared);
    const kind = differenceOf(one, computed, null);
    if (kind === null) return [];
    const shown = (value: FeatureValue): FeatureValue =>
      key !== null && typeof value === 'number' ? { [key]: value } : value;
    const both = { served: shown(one), computed: shown(computed) };
    return [{ kind, feature: name, decision: id, subject, partition, position, time, ...both }];
  });
}

/** A ratio from the values below and above its line, where nothing counted is 0. */
function partOf(
  { name, derived }: CompiledFeature,
  key: string | null,
  values: Values,
  shared: readonly CompiledFeature[],
): FeatureValue {
  const itemOf = (feature: string): FeatureValue => {
    const value = values[feature] ?? null;
    if (key === null) return value;
    return isMap(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null;
  };
  if (derived === null) return itemOf(name);
  const inputs = derived.inputs.map((input) => {
    const kind = shared.find((other) => other.name === input)?.kind;
    const ofNothing = kind === 'count' || kind === 'sum' ? 0 : null;
    return [input, itemOf(input) ?? ofNothing] as const;
  });
  return derived.compute(Object.fromEntries(inputs));
}

const isMap = (value: FeatureValue): value is Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether some shard has seen more items than it keeps: those that were left out and came back count from then on. */
async function isFull(
  { ask }: ParityOptions,
  snapshot: Snapshot,
  feature: CompiledFeature,
  shared: readonly CompiledFeature[],
): Promise<boolean> {
  const own = storedOf(feature, shared);
  for (const one of own) {
    const inShard = new Map<number, number>();
    for (const key of await keysIn(snapshot, one, ask)) {
      const shard = murmur2(Buffer.from(key)) % sharedShards;
      inShard.set(shard, (inShard.get(shard) ?? 0) + 1);
    }
    if ([...inShard.values()].some((items) => items > one.keys)) return true;
  }
  return false;
}

const longestWindow = (feature: CompiledFeature, shared: readonly CompiledFeature[]): number =>
  Math.max(0, ...storedOf(feature, shared).map(({ bucketMs, buckets }) => bucketMs * buckets));

/** The features with a state that it is made of. */
const storedOf = (
  feature: CompiledFeature,
  shared: readonly CompiledFeature[],
): readonly CompiledFeature[] =>
  feature.derived === null ? [feature] : shared.filter(({ name }) => feature.derived?.inputs.includes(name));
