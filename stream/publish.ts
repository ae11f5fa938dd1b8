import type { Draft } from '../decisions/index.ts';
import type { BatchReport, Candidate, DecisionDraft } from '../schemas/index.ts';
import type { Batch } from './batch.ts';
import type { FeatureSet } from './features/port.ts';
import { encodePartitionState } from './partition-state.ts';
import { limits } from './state/limits.ts';
import type { Commit, OutboxItem } from './state/port.ts';

export interface Publication {
  readonly commit: Commit;
  /** Subjects whose state has outgrown a blob: the commit deletes it, and memory must begin anew with it. */
  readonly outgrown: readonly string[];
}

/**
 * The one commit of a batch: everything the batch changed, and everything it has to say, moves together or not at all.
 * Dead letters and decisions come before the batch's own report, so that a reader who has the report has them too.
 */
export function commitOf(batch: Batch, features: FeatureSet, previous: string, id: string): Publication {
  const first = batch.records[0];
  const last = batch.records.at(-1);
  const outbox: OutboxItem[] = [];
  for (const letter of batch.dead) outbox.push({ kind: 'dead', payload: JSON.stringify(letter) });
  let moved = 0;
  const moveUpTo = (question: number): void => {
    for (
      let move = batch.moves[moved];
      move !== undefined && move.after <= question;
      move = batch.moves[moved]
    ) {
      outbox.push(settled(move.item, batch));
      moved += 1;
    }
  };
  for (const [question, draft] of batch.drafts.entries()) {
    moveUpTo(question);
    const { tenant, subject } = draft.record;
    const { choices, slots } = draft;
    outbox.push({
      kind: 'decision',
      tenant,
      subject,
      payload: payloadOf(draft),
      choices,
      ...(slots === undefined ? {} : { slots }),
    });
  }
  moveUpTo(batch.drafts.length);
  if (first !== undefined && last !== undefined) {
    const report: BatchReport = {
      first: first.offset,
      last: last.offset,
      duplicates: batch.duplicates,
      dead: batch.dead.map((letter) => letter.position),
      late: batch.late,
      clamped: batch.clamped,
      ...(batch.forwarded.length > 0 ? { forwarded: batch.forwarded } : {}),
      ...(batch.redelivered.length > 0 ? { redelivered: batch.redelivered } : {}),
    };
    outbox.push({ kind: 'batch', payload: JSON.stringify(report) });
  }
  const blobs: [string, Uint8Array | null][] = [];
  const outgrown: string[] = [];
  for (const key of batch.changed) {
    const state = batch.subjects.get(key);
    if (state === undefined) continue;
    if (batch.expired.has(key) && state.position < 0) {
      blobs.push([key, null]);
      continue;
    }
    const blob = features.encode(state);
    // One visitor's state must not hold up everyone else's events.
    const isWhole = blob.length <= limits.blobBytes;
    if (!isWhole) outgrown.push(key);
    blobs.push([key, isWhole ? blob : null]);
  }
  blobs.push(...batch.shared.map(([key, blob]): [string, Uint8Array | null] => [key, blob]));
  const commit = {
    previous,
    id,
    position: batch.position,
    blobs,
    partitionState: batch.partitionState.changed ? encodePartitionState(batch.partitionState) : null,
    timers: [...batch.timers],
    outbox,
  };
  return { commit, outgrown };
}

/** Of a subject that was forgotten and came back in the same batch, the entry in the index is its new state's. */
function settled(item: OutboxItem, { subjects }: Batch): OutboxItem {
  if (item.kind !== 'expire') return item;
  const state = subjects.get(`${item.tenant}:${item.subject}`);
  return state !== undefined && state.position >= 0 ? { ...item, isBack: true } : item;
}

const leftOut = { left_out: 'The record was too large with it.' } as const;

/**
 * A draft as the outbox holds it. Of one that is too large, what its candidates saw is left out, and then the features
 * and the context: an explanation may be shorter, but a decision is never in the way of the next.
 */
export function payloadOf({ record, ...rest }: Draft): string {
  const write = (draft: DecisionDraft): string => JSON.stringify(draft);
  const whole = write({ record, ...rest });
  if (fits(whole)) return whole;
  const blind = { ...record, candidates: record.candidates.map(withoutSaw) };
  const shorter = write({ record: blind, ...rest });
  return fits(shorter)
    ? shorter
    : write({ record: { ...blind, features: leftOut, context: leftOut }, ...rest });
}

const withoutSaw = (candidate: Candidate): Candidate => ({
  ...candidate,
  verdict: { ...candidate.verdict, saw: leftOut },
});

/** A UTF-16 unit is at most three bytes: only long payloads need counting. */
const fits = (payload: string): boolean =>
  payload.length * 3 <= limits.payloadBytes || Buffer.byteLength(payload) <= limits.payloadBytes;
