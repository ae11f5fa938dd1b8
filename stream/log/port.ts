/**
 * A record as it was appended. Offsets of a partition rise; Kafka may leave some out. The value stands in a buffer that
 * its neighbours share, so that a hot path can read it in place: `key` and `value` are made anew each time they are
 * asked for.
 */
export interface LogRecord {
  readonly offset: number;
  /** Append time, Unix milliseconds. */
  readonly appendedAt: number;
  /** Holds the value from byte `from` to before byte `to`. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** Raw subject key (what the partitioner hashed). */
  readonly key: string;
  readonly value: Buffer;
}

export interface NewRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: Uint8Array;
  /** Hash of the event schema that the value fits; absent: only the one of any event (stream/schemas/framed-log.ts). */
  readonly schema?: string;
}

export interface LogRange {
  /** Oldest offset still kept. */
  readonly start: number;
  /** Offset that the next record will get. */
  readonly end: number;
}

/** One partition's records in order, through a bounded buffer. */
export interface PartitionReader {
  readonly partition: number;
  /**
   * The next records, at most `limit`; waits up to `waitMs` for the first and returns [] if none came.
   * Throws PresageError `log_position_lost` when the next offset is no longer in the log (or never was), and
   * `log_unavailable` (retriable: call again, nothing is skipped) when the log could not be reached all that time.
   */
  next(limit: number, waitMs: number): Promise<LogRecord[]>;
}

export interface SubscribeOptions {
  /** Who reads: a name that shares partitions between processes where the adapter can (Kafka group). */
  readonly group: string;
  readonly partitions?: readonly number[];
  /** The offset to begin at; asked at each assignment. */
  startAt(partition: number): Promise<number>;
  onAssigned(reader: PartitionReader): void;
  onRevoked(partition: number): void;
}

export interface Subscription {
  /**
   * Begins one partition anew: the reader handed out before ends, `startAt` is asked again, and `onAssigned` gets
   * another reader. Does nothing for a partition that is not assigned. Rejects when `startAt` does.
   */
  restart(partition: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The log of events. Adapters: Redis Streams (embedded), memory (tests), Kafka (next). All pass
 * stream/log/log.contract.ts. Append order of one caller is kept within a partition.
 */
export interface EventLog {
  readonly partitions: number;
  /**
   * Resolves with each record's offset when all are durable. Throws PresageError: `log_full` (above the memory bound;
   * retriable; nothing of this call was kept), `log_unavailable` (retriable; outcome unknown: sending again may
   * repeat records, which the worker recognises by event id) or `log_invalid` (a record that can never be kept).
   * `isWayOut`: taken above the memory bound too, as what waits for it can't be trimmed before.
   */
  append(records: readonly NewRecord[], isWayOut?: boolean): Promise<number[]>;
  range(partition: number): Promise<LogRange>;
  /** Throws what `startAt` throws, and then no reader that was handed out reads on. */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Forgets records below `offset`. */
  trim(partition: number, offset: number): Promise<void>;
  close(): Promise<void>;
}
