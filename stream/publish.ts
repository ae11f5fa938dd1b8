import type { Batch } from './batch.ts';
import type { FeatureSet } from './features/port.ts';
import { encodePartitionState } from './partition-state.ts';
import type { Commit, OutboxItem } from './state/port.ts';

/**
 * The one commit of a batch: everything the batch changed, and everything it has to say, moves together or not at all.
 * Dead letters and decisions come before the batch's own report, so that a reader who has the report has them too.
 */
export function commitOf(batch: Batch, features: FeatureSet, previous: string, id: string): Commit {
  const first = batch.records[0];
  const last = batch.records.at(-1);
  if (first === undefined || last === undefined) throw new Error('A batch has at least one record.');
  const outbox: OutboxItem[] = [];
  for (const letter of batch.dead) outbox.push({ kind: 'dead', payload: JSON.stringify(letter) });
  for (const { record, choices } of batch.drafts) {
    outbox.push({
      kind: 'decision',
      tenant: record.tenant,
      subject: record.subject,
      payload: JSON.stringify({ record, choices }),
      choices,
    });
  }
  outbox.push({
    kind: 'batch',
    payload: JSON.stringify({
      first: first.offset,
      last: last.offset,
      duplicates: batch.duplicates,
      dead: batch.dead.map((letter) => letter.position),
      late: batch.late,
      clamped: batch.clamped,
    }),
  });
  const blobs: [string, Uint8Array][] = [];
  for (const key of batch.changed) {
    const state = batch.subjects.get(key);
    if (state !== undefined) blobs.push([key, features.encode(state)]);
  }
  return {
    previous,
    id,
    position: last.offset + 1,
    blobs,
    partitionState: batch.partitionState.changed ? encodePartitionState(batch.partitionState) : null,
    outbox,
  };
}
