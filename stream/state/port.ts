import type { CapTake, Choice, Resolution } from '../../schemas/index.ts';

/** Where a partition's state stands. */
export interface PartitionHead {
  /** The next log offset to process. */
  readonly position: number;
  /** Random id of the last commit; '' before the first. */
  readonly commitId: string;
  /** Counts commits. */
  readonly sequence: number;
  /** Of a shadow's head: the one in force is in the partition's own. */
  readonly generation: number;
}

/**
 * Something to publish with a commit; items take effect on caps one after the other. A decision is resolved inside the
 * commit: for one slot after the other, the first choice with room wins. A transfer is published with all caps of its subject, which has none then;
 * `caps` publishes nothing and adds caps that came with a transfer, so that no take has more room than beside both.
 * `expire` publishes nothing: the subject has been forgotten at event time `at`, and its caps go too if none of them can
 * count any more (`capsEnd`). If they are gone at the end of the commit, so is its entry in the index of timers, which
 * has the time at which they are looked at again; not if `isBack`: then the entry is of what the subject did since.
 */
export type OutboxItem =
  | { readonly kind: 'batch' | 'dead' | 'forward'; readonly payload: string }
  | {
      readonly kind: 'transfer';
      readonly payload: string;
      readonly tenant: string;
      readonly subject: string;
    }
  /** Marks a cap, whose name begins with `!`; publishes nothing. Caps with the role `after` have no room then. */
  | {
      readonly kind: 'mark';
      readonly tenant: string;
      readonly subject: string;
      readonly cap: string;
      readonly windowMs: number;
      readonly at: number;
    }
  | { readonly kind: 'caps'; readonly tenant: string; readonly subject: string; readonly caps: string }
  | {
      readonly kind: 'expire';
      readonly tenant: string;
      readonly subject: string;
      readonly at: number;
      /** How long it was silent. */
      readonly ttlMs: number;
      readonly isBack?: boolean;
    }
  | {
      readonly kind: 'decision';
      readonly payload: string;
      readonly tenant: string;
      readonly subject: string;
      readonly choices: readonly Choice[];
      /** How many may be chosen, at most 16; default 1. */
      readonly slots?: number;
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
  /**
   * Changes of the index of timers: for a subject's key (`<tenant>:<subject>`), when its earliest timer may be due, or
   * null: it has none. An entry may be early, never late. At most 6,000, each key once.
   */
  readonly timers?: readonly TimerEntry[];
  readonly outbox: readonly OutboxItem[];
  /** Of which generation blobs and timers are; it must be the one in force, or that of the shadow. Default 0. */
  readonly generation?: number;
  /**
   * Puts this generation in force from here on. Refused (`state_refused`) unless its shadow is at this commit's position.
   * Caps, outbox, readers and the partition's own state stay what they are.
   */
  readonly activate?: number;
}

/** Of the index of timers: a subject's key and its earliest due, event time in Unix milliseconds. */
export type TimerEntry = readonly [key: string, due: number | null];

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
  /** How many may be chosen, at most 16; default 1. */
  readonly slots?: number;
  /** How long the idempotency key is kept. */
  readonly keepMs: number;
  /**
   * When its caps are to be looked at if the subject has no state by which it is forgotten: it is put into the index of
   * timers then, unless it is there already. Absent: never.
   */
  readonly forgetAt?: number;
  /** How long it is tried: nothing is sent any more once nobody waits for the answer. As long as a commit if absent. */
  readonly patienceMs?: number;
}

/** A blob that begins with this byte says that the subject's state is elsewhere now; it has no caps of its own. */
export const movedMark = 0xfe;

export type RequestOutcome =
  /** The subject's blob begins with `movedMark`: ask for the one it moved to. Nothing was done. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'decided'; readonly offset: number; readonly resolution: Resolution }
  | { readonly kind: 'repeated'; readonly payload: string; readonly resolution: Resolution };

/**
 * An outbox entry as stored. For a decision, `resolution` is what the commit decided; for a transfer, `caps` are those
 * that the subject had (stream/state/caps.ts, `packCaps`).
 */
export interface StoredOutboxEntry {
  readonly offset: number;
  readonly kind: 'batch' | 'dead' | 'decision' | 'transfer' | 'forward';
  readonly payload: string;
  readonly resolution: Resolution | null;
  readonly caps?: string;
  /**
   * Tells this entry from any other that ever has its offset: a store that lost its last writes (power, everysec) gives
   * the same offsets to other entries.
   */
  readonly mark: string;
}

/**
 * Blobs and timers of a partition are of a *generation*. One is in force: readers see it, and the worker extends it.
 * Another may be built beside it, with a position, a commit chain and a partition state of its own, until a commit of the
 * worker puts it in force. This is what such a shadow can do; nobody sees it. Once a generation as high is in force, its
 * commits are fenced.
 */
export type ShadowStore = Pick<StateStore, 'head' | 'partitionState' | 'load' | 'earliestTimers' | 'commit'>;

/**
 * State of all partitions: blobs, caps, outbox, position. Adapters: Redis Functions, memory; both pass
 * stream/state/state.contract.ts. Errors are PresageError:
 * - `state_unavailable` (retriable): the store did not answer for a long time
 * - `state_full` (retriable): above the memory limit; only what makes more work is refused, never a commit or a trim
 * - `state_invalid`, `blob_too_large`: an argument is wrong; nothing was written
 * - `state_refused`: a stored key is not what it must be; nothing was written
 */
export interface StateStore {
  head(partition: number): Promise<PartitionHead>;
  partitionState(partition: number): Promise<Buffer | null>;
  /** Blobs as the generation in force has them, all of one. */
  load(partition: number, keys: readonly string[]): Promise<(Buffer | null)[]>;
  /**
   * The earliest entries of a tenant's index of timers, at most `limit`, by (due, key as bytes). Entries that a commit
   * in flight changes may be seen as they were or as they will be.
   */
  earliestTimers(partition: number, tenant: string, limit: number): Promise<[key: string, due: number][]>;
  /**
   * Makes a commit. A lost connection or a time-out is resolved inside, by sending the same commit again: a repeat of
   * one of the partition's last 8 commits gets the first answer and has no effect. After `state_unavailable` the
   * outcome is unknown; repeat the very same commit, or reload. Up to 8 commits of a partition may be in flight, each
   * naming the one before it; they are answered as if they had been made one after the other.
   */
  commit(partition: number, commit: Commit): Promise<CommitOutcome>;
  /** The request path: takes caps and publishes, in one atomic step. */
  request(partition: number, request: RequestCommit): Promise<RequestOutcome>;
  /** How full caps are now, without taking: for `explain` and features of the console. */
  capsUsed(partition: number, tenant: string, subject: string, takes: readonly CapTake[]): Promise<number[]>;

  /**
   * Entries from `offset` on, at most `limit`; waits up to `waitMs` for the first. `after` is the mark of the entry
   * before `offset`, where the reader has one. `outbox_lost` if the entry was trimmed, is beyond the end, or if another
   * entry now stands before it: the store went back in time and went on differently.
   */
  readOutbox(
    partition: number,
    offset: number,
    limit: number,
    waitMs: number,
    after?: string | null,
  ): Promise<StoredOutboxEntry[]>;
  outboxRange(partition: number): Promise<{ readonly start: number; readonly end: number }>;
  trimOutbox(partition: number, offset: number): Promise<void>;

  /** A reader's own durable bytes for a partition (its position, the block in flight). */
  readerState(partition: number, reader: string): Promise<string | null>;
  saveReaderState(partition: number, reader: string, state: string): Promise<void>;

  /** The state that is built under this generation, above 0. */
  shadow(generation: number): ShadowStore;
  /**
   * Deletes all blobs and timers of a generation that is not in force, and what its shadow knew; a few at a time, and so
   * that doing it again goes on where it stopped. Throws `state_invalid` for the one in force.
   */
  forgetGeneration(partition: number, generation: number): Promise<void>;

  /** Keeps the description of a blob layout, so that later versions can read its blobs. Saving it again is harmless. */
  saveLayout(id: number, description: string): Promise<void>;
  /** Descriptions of all layouts ever saved, in the order of their ids. */
  layouts(): Promise<string[]>;
  close(): Promise<void>;
}
