import type { Redis } from 'ioredis';
import type { Clock } from '../../core/index.ts';
import type { RedisConnector } from './connection.ts';
import { troubleOf } from './trouble.ts';

/** One entry of a stream: its offset (0, 1, 2...) and its fields, flat: name, value, name, value... */
export interface StreamEntry {
  readonly offset: number;
  readonly fields: readonly Buffer[];
}

/** Entries have the ids 0-1, 0-2...: offset N is id 0-(N+1), so that "after id 0-N" reads from offset N on. */
export const idBefore = (offset: number): string => `0-${offset}`;
export const idOf = (offset: number): string => `0-${offset + 1}`;

const offsetOf = (id: Buffer | string): number => {
  const text = id.toString();
  if (!text.startsWith('0-')) throw new Error(`A stream of ours has the foreign id ${text}.`);
  return Number(text.slice(2)) - 1;
};

/** Oldest offset kept and the offset that the next entry will get; 0 and 0 for a stream that does not exist. */
export async function streamRange(redis: Redis, key: string): Promise<{ start: number; end: number }> {
  let info: unknown[];
  try {
    info = (await redis.call('XINFO', 'STREAM', key)) as unknown[];
  } catch (error) {
    if (error instanceof Error && error.message.includes('no such key')) return { start: 0, end: 0 };
    throw error;
  }
  const field = (name: string): unknown => info[info.indexOf(name) + 1];
  const end = offsetOf(String(field('last-generated-id'))) + 1;
  const first = field('first-entry');
  return { start: Array.isArray(first) ? offsetOf(String(first[0])) : end, end };
}

/** A reply of XREAD over one stream. */
export function entriesOf(reply: unknown): StreamEntry[] {
  if (reply === null || reply === undefined) return [];
  const [stream] = reply as [[Buffer, unknown]];
  return listed(stream[1]);
}

/** A reply of XRANGE. */
const listed = (reply: unknown): StreamEntry[] =>
  (reply as [Buffer, Buffer[]][]).map(([id, fields]) => ({ offset: offsetOf(id), fields }));

/** What a read found, and the entry before its first, if that is still kept. */
export interface Read {
  readonly before: StreamEntry | null;
  readonly entries: readonly StreamEntry[];
}

/**
 * Reads that wait. Each needs a connection of its own while it waits; connections are kept and shared between reads,
 * so there are as many as readers that ever waited at the same time.
 */
export class BlockingReads {
  readonly #connector: RedisConnector;
  readonly #purpose: string;
  readonly #clock: Clock;
  readonly #idle: Redis[] = [];
  readonly #busy = new Set<Redis>();
  #closed = false;

  constructor(connector: RedisConnector, purpose: string, clock: Clock) {
    this.#connector = connector;
    this.#purpose = purpose;
    this.#clock = clock;
  }

  /**
   * Entries of `key` from `offset` on, at most `limit`; waits up to `waitMs` for the first, also through a lost
   * connection: nothing is consumed by reading, so it is simply read again. `close` ends the wait with [].
   * Throws what Redis or the connection threw, when that still lasts at the end of the wait.
   */
  async read(key: string, offset: number, limit: number, waitMs: number): Promise<StreamEntry[]> {
    return this.#persist(waitMs, [], (redis, leftMs) => xread(redis, key, offset, limit, leftMs));
  }

  /**
   * The same, with the entry before `offset`: both are read on one connection, which a restarted server would have
   * cut, so they are of one history.
   */
  async readAfter(key: string, offset: number, limit: number, waitMs: number): Promise<Read> {
    return this.#persist(waitMs, { before: null, entries: [] }, async (redis, leftMs) => {
      if (offset === 0) return { before: null, entries: await xread(redis, key, offset, limit, leftMs) };
      const id = idBefore(offset);
      const [before, entries] = await Promise.all([
        redis.callBuffer('XRANGE', key, id, id),
        xread(redis, key, offset, limit, leftMs),
      ]);
      return { before: listed(before)[0] ?? null, entries };
    });
  }

  async #persist<T>(
    waitMs: number,
    ofNothing: T,
    ask: (redis: Redis, leftMs: number) => Promise<T>,
  ): Promise<T> {
    const deadline = this.#clock.monotonic() + waitMs;
    for (;;) {
      const left = Math.max(0, deadline - this.#clock.monotonic());
      try {
        return await this.#once(left, ofNothing, ask);
      } catch (error) {
        if (this.#closed) return ofNothing;
        if (!isTransient(error) || this.#clock.monotonic() >= deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const redis of [...this.#idle, ...this.#busy]) redis.disconnect();
    this.#idle.length = 0;
  }

  async #once<T>(
    waitMs: number,
    ofNothing: T,
    ask: (redis: Redis, leftMs: number) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) return ofNothing;
    const redis = this.#idle.pop() ?? this.#connect();
    this.#busy.add(redis);
    // A connection that died without a word would wait for ever.
    const timer = setTimeout(() => redis.disconnect(true), waitMs + graceMs);
    try {
      await untilReady(redis, waitMs);
      return await ask(redis, waitMs);
    } finally {
      clearTimeout(timer);
      this.#busy.delete(redis);
      if (this.#closed) redis.disconnect();
      else this.#idle.push(redis);
    }
  }

  #connect(): Redis {
    const redis = this.#connector.connect(this.#purpose);
    // The read that fails reports it; without a listener ioredis would print to the console.
    redis.on('error', () => {});
    return redis;
  }
}

async function xread(
  redis: Redis,
  key: string,
  offset: number,
  limit: number,
  waitMs: number,
): Promise<StreamEntry[]> {
  const block = waitMs >= 1 ? ['BLOCK', Math.ceil(waitMs)] : [];
  return entriesOf(
    await redis.callBuffer('XREAD', 'COUNT', limit, ...block, 'STREAMS', key, idBefore(offset)),
  );
}

const retryMs = 20;
const graceMs = 5_000;
/** A read that does not wait still gives a fresh connection the time to be made. */
const connectMs = 1_000;

async function untilReady(redis: Redis, waitMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  const isReady = await new Promise<boolean>((resolve) => {
    const settle = (ready: boolean): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('end', onEnd);
      resolve(ready);
    };
    const onReady = (): void => settle(true);
    const onEnd = (): void => settle(false);
    const timer = setTimeout(() => settle(false), Math.max(waitMs, connectMs));
    redis.once('ready', onReady);
    redis.once('end', onEnd);
  });
  if (!isReady) throw new Error('not connected');
}

/** Was it only that Redis could not be reached, so that reading again later can help? */
export const isTransient = (error: unknown): boolean => {
  const trouble = troubleOf(error);
  return trouble === 'not_executed' || trouble === 'unknown';
};
