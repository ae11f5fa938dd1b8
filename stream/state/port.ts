import type { CapTake, Choice, Resolution } from '../../schemas/index.ts';

/** Where a partition's state stands. */
export interface PartitionHead {
  /** The next log offset to process. */
  readonly position: number;
  /** Random id of the last commit; '' before the first. */
  readonly commitId: string;
  /** Counts commits. */
  readonly sequence: number;
}

/** Something to publish with a commit. A decision is resolved inside it: the first choice with room wins. */
export type OutboxItem =
  | { readonly kind: 'batch' | 'dead'; readonly payload: string }
  | {
      readonly kind: 'decision';
      readonly payload: string;
      readonly tenant: string;
      readonly subject: string;
      readonly choices: readonly Choice[];
    };

export interface Commit {
  /** Commit id that this one extends. */
  readonly previous: string;
  /** Fresh random id of this commit. */
  readonly id: string;
  /** The next log offset to process after it. */
  readonly position: number;
  /** New state blobs by key (`<tenant>:<subject>`); at most 3,000. null deletes. */
  readonly blobs: ReadonlyArray<readonly [key: string, blob: Uint8Array | null]>;
  /** The partition's own small state (watermarks, stop switch), if it changed. */
  readonly partitionState: Uint8Array | null;
  readonly outbox: readonly OutboxItem[];
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly sequence: number; readonly resolutions: readonly Resolution[] }
  /** Another worker or another history: drop the cache and reload. */
  | { readonly kind: 'fenced'; readonly head: PartitionHead };

export interface RequestCommit {
  /** Repeats of one key get the first answer. Unique within tenant and partition. */
  readonly idempotencyKey: string;
  readonly tenant: string;
  readonly subject: string;
  readonly payload: string;
  readonly choices: readonly Choice[];
  /** How long the idempotency key is kept. */
  readonly keepMs: number;
}

export type RequestOutcome =
  | { readonly kind: 'decided'; readonly offset: number; readonly resolution: Resolution }
  | { readonly kind: 'repeated'; readonly payload: string; readonly resolution: Resolution };

/** An outbox entry as stored. For a decision, `resolution` is what the commit decided. */
export interface StoredOutboxEntry {
  readonly offset: number;
  readonly kind: 'batch' | 'dead' | 'decision';
  readonly payload: string;
  readonly resolution: Resolution | null;
}

/**
 * State of all partitions: blobs, caps, outbox, position. Adapters: Redis Functions, memory; both pass
 * stream/state/state.contract.ts. Errors are PresageError; `state_unavailable` is retriable and the outcome of a
 * commit is then found out inside (by reading the commit id) before this throws or returns.
 */
export interface StateStore {
  head(partition: number): Promise<PartitionHead>;
  partitionState(partition: number): Promise<Buffer | null>;
  load(partition: number, keys: readonly string[]): Promise<(Buffer | null)[]>;
  commit(partition: number, commit: Commit): Promise<CommitOutcome>;
  /** The request path: takes caps and publishes, in one atomic step. */
  request(partition: number, request: RequestCommit): Promise<RequestOutcome>;
  /** How full caps are now, without taking: for `explain` and features of the console. */
  capsUsed(partition: number, tenant: string, subject: string, takes: readonly CapTake[]): Promise<number[]>;

  /** Entries from `offset` on, at most `limit`; waits up to `waitMs` for the first. `outbox_lost` if trimmed. */
  readOutbox(partition: number, offset: number, limit: number, waitMs: number): Promise<StoredOutboxEntry[]>;
  outboxRange(partition: number): Promise<{ readonly start: number; readonly end: number }>;
  trimOutbox(partition: number, offset: number): Promise<void>;

  /** A reader's own durable bytes for a partition (its position, the block in flight). */
  readerState(partition: number, reader: string): Promise<string | null>;
  saveReaderState(partition: number, reader: string, state: string): Promise<void>;
  close(): Promise<void>;
}
