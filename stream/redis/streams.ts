import type { Redis } from 'ioredis';
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
  const [stream] = reply as [[Buffer, [Buffer, Buffer[]][]]];
  return stream[1].map(([id, fields]) => ({ offset: offsetOf(id), fields }));
}

/**
 * Reads that wait. Each needs a connection of its own while it waits; connections are kept and shared between reads,
 * so there are as many as readers that ever waited at the same time.
 */
export class BlockingReads {
  readonly #connector: RedisConnector;
  readonly #purpose: string;
  readonly #idle: Redis[] = [];
  readonly #busy = new Set<Redis>();
  #closed = false;

  constructor(connector: RedisConnector, purpose: string) {
    this.#connector = connector;
    this.#purpose = purpose;
  }

  /**
   * Entries of `key` from `offset` on, at most `limit`; waits up to `waitMs` for the first. `signal` ends the wait with
   * []. Throws what Redis or the connection threw; nothing is consumed by reading, so reading again is safe.
   */
  async read(
    key: string,
    offset: number,
    limit: number,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<StreamEntry[]> {
    const redis = this.#idle.pop() ?? this.#connect();
    this.#busy.add(redis);
    const abandon = (): void => redis.disconnect();
    signal?.addEventListener('abort', abandon, { once: true });
    // A connection that died without a word would wait for ever.
    const timer = setTimeout(() => redis.disconnect(true), waitMs + graceMs);
    try {
      if (signal?.aborted || !(await isReadyWithin(redis, waitMs))) return this.#idleOrThrow(signal);
      const wait = waitMs >= 1 ? ['BLOCK', Math.ceil(waitMs)] : [];
      return entriesOf(
        await redis.callBuffer('XREAD', 'COUNT', limit, ...wait, 'STREAMS', key, idBefore(offset)),
      );
    } catch (error) {
      if (signal?.aborted || this.#closed) return [];
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abandon);
      this.#busy.delete(redis);
      if (signal?.aborted || this.#closed) redis.disconnect();
      else this.#idle.push(redis);
    }
  }

  close(): void {
    this.#closed = true;
    for (const redis of [...this.#idle, ...this.#busy]) redis.disconnect();
    this.#idle.length = 0;
  }

  #idleOrThrow(signal?: AbortSignal): never[] {
    if (signal?.aborted || this.#closed) return [];
    throw new Error("Stream isn't writeable: not connected");
  }

  #connect(): Redis {
    const redis = this.#connector.connect(this.#purpose);
    // The reader of the failed read reports it; without a listener ioredis would print to the console.
    redis.on('error', () => {});
    return redis;
  }
}

const graceMs = 5_000;

async function isReadyWithin(redis: Redis, waitMs: number): Promise<boolean> {
  if (redis.status === 'ready') return true;
  if (redis.status === 'end') return false;
  return new Promise((resolve) => {
    const settle = (isReady: boolean): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('end', onEnd);
      resolve(isReady);
    };
    const onReady = (): void => settle(true);
    const onEnd = (): void => settle(false);
    // A read that does not wait still gives a fresh connection the time to be made.
    const timer = setTimeout(() => settle(false), Math.max(waitMs, 1_000));
    redis.once('ready', onReady);
    redis.once('end', onEnd);
  });
}

/** Was it only that Redis could not be reached, so that reading again later can help? */
export const isTransient = (error: unknown): boolean => {
  const trouble = troubleOf(error);
  return trouble === 'not_executed' || trouble === 'unknown';
};
