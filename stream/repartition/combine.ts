import { emptyPartitionState, type PartitionState } from '../partition-state.ts';
import type { SharedGroup } from '../shared/groups.ts';
import { limits } from '../state/limits.ts';

/**
 * What a new partition knows beside its subjects: time has come as far as anywhere (all that was in the log has been
 * processed), the leader is whoever is furthest, and whoever was stopped anywhere is stopped.
 */
export function combineStates(states: readonly PartitionState[]): PartitionState {
  const combined = emptyPartitionState();
  for (const { watermarks, stopped, workspace } of states) {
    // Nothing is being changed over meanwhile: those that were told of one were told of the same.
    combined.workspace = workspace ?? combined.workspace;
    for (const tenant of stopped) combined.stopped.add(tenant);
    for (const [tenant, mark] of watermarks) {
      const into = combined.watermarks.get(tenant);
      if (into === undefined) {
        combined.watermarks.set(tenant, { ...mark });
        continue;
      }
      if (mark.at > into.at) Object.assign(into, { at: mark.at, movedAt: mark.movedAt });
      if (mark.leadTime > into.leadTime)
        Object.assign(into, { leader: mark.leader, leadTime: mark.leadTime, ledAt: mark.ledAt });
    }
  }
  return combined;
}

/**
 * One share in what all subjects share, of those that come to one partition: byte for byte where it is one, merged with
 * the features' own merge where there are more. null: there is none, or together they are too large for a blob.
 */
export function combineShares(
  { features }: Pick<SharedGroup, 'features'>,
  blobs: readonly (Buffer | null)[],
): Uint8Array | null | 'too large' {
  const [first, ...others] = blobs.filter((blob) => blob !== null);
  if (first === undefined) return null;
  if (others.length === 0) return first;
  const into = features.decode(first);
  for (const blob of others) features.merge(into, features.decode(blob));
  const merged = features.encode(into);
  return merged.length > limits.blobBytes ? 'too large' : merged;
}
