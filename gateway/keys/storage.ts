/**
 * Where hashed keys are kept: a small map from hash to JSON. Adapters: Redis, memory; both pass
 * gateway/keys/storage.contract.ts. Throws PresageError `keys_unavailable` (retriable).
 */
export interface KeyStorage {
  get(hash: string): Promise<string | null>;
  all(): Promise<ReadonlyMap<string, string>>;
  /** false when the hash is there already. */
  add(hash: string, value: string): Promise<boolean>;
  /**
   * Replaces `expected` by `next` (null removes). false when something else is there by now: reading, changing and
   * writing back without this could undo a revocation made meanwhile by another process.
   */
  swap(hash: string, expected: string, next: string | null): Promise<boolean>;
}
