import { z } from 'zod';
import type { StateStore } from '../../stream/state/index.ts';
import type { CompiledFeature, CompiledWorkspace } from '../../workspace/index.ts';

const kept = z.object({
  /** Hashes of the features whose state has been there from the first event on. */
  whole: z.array(z.string()),
  /** By hash: since when the others have been there, Unix milliseconds. */
  since: z.record(z.string(), z.number()),
});

/** A feature that was added without its history. */
export interface Begun {
  readonly name: string;
  readonly since: number;
}

const place = { partition: 0, name: 'features' } as const;

/**
 * Notes which features the state is made with from now on; returns those that lack what came before they were there.
 * Without a note all of them count as whole.
 */
export async function noteFeatures(
  store: StateStore,
  workspace: CompiledWorkspace,
  now: number,
): Promise<readonly Begun[]> {
  const stored = storedFeatures(workspace);
  const text = await store.readerState(place.partition, place.name);
  if (text === null) {
    await noteWhole(store, workspace);
    return [];
  }
  const before = kept.parse(JSON.parse(text));
  const known = new Set(before.whole);
  const whole: string[] = [];
  const since: Record<string, number> = {};
  const begun: Begun[] = [];
  for (const feature of stored) {
    const from = before.since[feature.hash] ?? now;
    if (known.has(feature.hash) || now - from > windowOf(feature)) whole.push(feature.hash);
    else {
      since[feature.hash] = from;
      begun.push({ name: feature.name, since: from });
    }
  }
  await store.saveReaderState(place.partition, place.name, JSON.stringify({ whole, since }));
  return begun;
}

/** All features of the workspace have their whole history. */
export async function noteWhole(store: StateStore, workspace: CompiledWorkspace): Promise<void> {
  const whole = storedFeatures(workspace).map(({ hash }) => hash);
  await store.saveReaderState(place.partition, place.name, JSON.stringify({ whole, since: {} }));
}

const storedFeatures = ({ features, shared }: CompiledWorkspace): readonly CompiledFeature[] =>
  [...features, ...shared].filter(({ derived }) => derived === null);

/** What came before so long does not count any more; Infinity: everything does. */
const windowOf = ({ bucketMs, buckets, windowMs }: CompiledFeature): number =>
  Math.max(bucketMs * buckets, windowMs) || Infinity;
