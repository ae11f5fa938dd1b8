import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, type Logger, messageOf, PresageError } from '../core/index.ts';
import type { StateStore, StoredOutboxEntry } from './state/port.ts';

/** The part of the state store that a reader of the outbox needs. */
export type OutboxSource = Pick<StateStore, 'readOutbox' | 'outboxRange' | 'readerState' | 'saveReaderState'>;

export interface FollowOptions {
  readonly partition: number;
  readonly store: OutboxSource;
  /** The name under which the position is saved. */
  readonly reader: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Entries in order. May see entries again after a crash or an error of its own. */
  readonly handle: (entries: readonly StoredOutboxEntry[]) => Promise<void>;
  readonly onLost: () => void;
}

export interface Follower {
  /** Null while all is well. */
  trouble(): string | null;
  hasBegun(): boolean;
  /** Finishes the entries in hand and saves the position. */
  stop(): Promise<void>;
}

const readLimit = 256;
const readWaitMs = 500;
/** At most this much is read again after a crash; saving for each batch would double the round trips. */
const saveEveryMs = 250;
const retryMs = { first: 50, most: 5_000 };

/**
 * Reads one partition's outbox from the saved position on, for as long as it is not stopped. The position moves only
 * past entries that were handled, so each is handled at least once. Errors are retried; nothing is skipped.
 */
export function followOutbox(options: FollowOptions): Follower {
  const { partition, store, reader, clock, handle, onLost } = options;
  const logger = options.logger.child({ partition, reader });
  const stopping = new AbortController();
  let position: number | null = null;
  /** Mark of the entry before the position: where another stands there, the store has gone back in time. */
  let mark: string | null = null;
  let saved: { position: number; at: number } = { position: -1, at: 0 };
  let trouble: string | null = null;

  const begin = async (): Promise<number> => {
    const [state, range] = await Promise.all([
      store.readerState(partition, reader),
      store.outboxRange(partition),
    ]);
    if (state === null) return range.start;
    const saved = savedIn(state);
    if (saved === null || saved.position < range.start || saved.position > range.end)
      return jumpTo(range, state);
    mark = saved.mark;
    return saved.position;
  };

  const jumpTo = (range: { readonly start: number; readonly end: number }, from: unknown): number => {
    mark = null;
    onLost();
    logger.error(
      { from, start: range.start, end: range.end },
      'The outbox position is not in the outbox (trimmed, or Redis went back in time): continuing at its oldest entry.',
    );
    return range.start;
  };

  /** On at the oldest entry: what was saved may be of a history that is gone. */
  const leap = async (): Promise<boolean> => {
    try {
      position = jumpTo(await store.outboxRange(partition), position);
      await save(position, true);
      return true;
    } catch (error) {
      trouble = messageOf(error);
      return false;
    }
  };

  const save = async (at: number, isLast = false): Promise<void> => {
    if (at === saved.position || (!isLast && clock.monotonic() - saved.at < saveEveryMs)) return;
    await store.saveReaderState(partition, reader, JSON.stringify({ position: at, mark }));
    saved = { position: at, at: clock.monotonic() };
  };

  const step = async (): Promise<void> => {
    if (position === null) {
      position = await begin();
      saved = { position, at: clock.monotonic() };
    }
    const entries = await store.readOutbox(partition, position, readLimit, readWaitMs, mark);
    const last = entries.at(-1);
    if (last === undefined) {
      const range = await store.outboxRange(partition);
      if (range.end < position) position = jumpTo(range, position);
      await save(position, true);
      return;
    }
    await handle(entries);
    position = last.offset + 1;
    mark = last.mark;
    await save(position);
  };

  const run = async (): Promise<void> => {
    let retryAfter = retryMs.first;
    while (!stopping.signal.aborted) {
      try {
        await step();
        trouble = null;
        retryAfter = retryMs.first;
      } catch (error) {
        if (error instanceof PresageError && error.code === 'outbox_lost' && (await leap())) continue;
        trouble = messageOf(error);
        logger.warn(
          { error: trouble, retryInMs: retryAfter },
          'The outbox cannot be followed; trying again.',
        );
        await wait(retryAfter, undefined, { signal: stopping.signal }).catch(() => undefined);
        retryAfter = Math.min(retryMs.most, retryAfter * 2);
      }
    }
    try {
      if (position !== null) await save(position, true);
    } catch (error) {
      logger.warn(
        { error: messageOf(error) },
        'The outbox position was not saved; its last entries will be handled again.',
      );
    }
  };

  const running = run();
  return {
    trouble: () => trouble,
    hasBegun: () => position !== null,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

function savedIn(state: string): { position: number; mark: string | null } | null {
  try {
    const { position, mark } = JSON.parse(state) as { position?: unknown; mark?: unknown };
    if (typeof position !== 'number' || !Number.isInteger(position)) return null;
    return { position, mark: typeof mark === 'string' ? mark : null };
  } catch {
    return null;
  }
}
