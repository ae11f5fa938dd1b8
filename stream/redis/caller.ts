import type { Redis } from 'ioredis';
import { type Clock, messageOf, PresageError } from '../../core/index.ts';
import type { RedisConnector } from './connection.ts';
import { type Trouble, troubleOf } from './trouble.ts';

export interface CallerOptions {
  readonly connector: RedisConnector;
  /** Names the connection, and the error codes: `<name>_unavailable`, `<name>_full`, `<name>_refused`. */
  readonly name: 'log' | 'state';
  readonly clock: Clock;
  /** How long a call keeps trying before it throws `<name>_unavailable`. */
  readonly patienceMs: number;
  /** How long one command may take before its connection is given up. */
  readonly commandTimeoutMs: number;
}

export interface CallOptions {
  /** What was tried, for the message: `commit partition 3`. */
  readonly what: string;
  /** May the command be sent again when it is unknown whether it happened? */
  readonly repeatable: boolean;
  /** How long this call keeps trying; as long as the others when absent. */
  readonly patienceMs?: number;
  /** Loads our functions; called when Redis does not know them. */
  readonly loadFunctions?: (redis: Redis) => Promise<void>;
}

const pauseMs = { first: 5, most: 250 };

/**
 * One connection for commands that don't block, and the rules for trying again. Every call ends within `patienceMs`
 * plus one command time-out: with the reply, or with a PresageError.
 */
export class RedisCaller {
  readonly #options: CallerOptions;
  readonly #redis: Redis;
  #closed = false;
  #lastError = 'not connected yet';
  #ready: Promise<void> | null = null;
  #wakeClosed: () => void = () => {};
  readonly #whenClosed: Promise<void>;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#redis = options.connector.connect(options.name);
    // Without a listener ioredis prints to the console; the last error goes into our message instead.
    this.#redis.on('error', (error: Error) => {
      this.#lastError = reasonOf(error);
    });
    this.#whenClosed = new Promise((resolve) => {
      this.#wakeClosed = resolve;
    });
  }

  /** Sends until there is a definite reply or patience ends. Throws PresageError `_unavailable` (retriable), `_full` (retriable), `_refused`. */
  async call<T>(send: (redis: Redis) => Promise<T>, options: CallOptions): Promise<T> {
    const deadline = this.#options.clock.monotonic() + (options.patienceMs ?? this.#options.patienceMs);
    for (let wait = pauseMs.first; ; wait = Math.min(wait * 2, pauseMs.most)) {
      if (this.#redis.status !== 'ready') await this.#untilReady(deadline, options.what);
      try {
        return await this.#withTimeout(send(this.#redis));
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === 'full' || trouble === 'refused') throw this.#final(trouble, error, options.what);
        if (trouble === 'unknown' && !options.repeatable) throw this.unavailable(options.what, error);
        if (this.#options.clock.monotonic() >= deadline) throw this.unavailable(options.what, error);
        if (trouble === 'no_function') await this.#load(options);
        else await pause(wait);
      }
    }
  }

  /** The error for a Redis that could not be reached or did not answer. */
  unavailable(what: string, cause?: unknown): PresageError {
    const why = cause === undefined ? this.#lastError : reasonOf(cause);
    return new PresageError(
      `${this.#options.name}_unavailable`,
      `Could not ${what}: Redis at ${this.#options.connector.where} does not answer (${why}). It is tried again by itself; check that Redis runs.`,
      { retriable: true, cause },
    );
  }

  close(): void {
    this.#closed = true;
    this.#redis.disconnect();
    this.#wakeClosed();
  }

  async #load(options: CallOptions): Promise<void> {
    try {
      await options.loadFunctions?.(this.#redis);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'full' || trouble === 'refused') throw this.#final(trouble, error, options.what);
    }
  }

  #final(trouble: Exclude<Trouble, 'unknown'>, error: unknown, what: string): PresageError {
    const { name, connector } = this.#options;
    if (trouble === 'full') {
      return new PresageError(
        `${name}_full`,
        `Could not ${what}: Redis at ${connector.where} is at its memory limit. Wait for the readers to catch up, or raise maxmemory.`,
        { retriable: true, cause: error },
      );
    }
    return new PresageError(
      `${name}_refused`,
      `Could not ${what}: Redis at ${connector.where} refused it: ${messageOf(error)}`,
      { cause: error },
    );
  }

  async #withTimeout<T>(reply: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no reply within ${this.#options.commandTimeoutMs} ms`));
        // A connection that swallowed one command would swallow the next: begin a new one.
        this.#redis.disconnect(true);
      }, this.#options.commandTimeoutMs);
    });
    try {
      return await Promise.race([reply, late]);
    } finally {
      clearTimeout(timer);
      reply.catch(() => {});
    }
  }

  async #untilReady(deadline: number, what: string): Promise<void> {
    if (this.#closed) throw this.unavailable(what, new Error('this connection was closed'));
    this.#ready ??= new Promise<void>((resolve) => {
      this.#redis.once('ready', () => {
        this.#ready = null;
        resolve();
      });
    });
    const left = deadline - this.#options.clock.monotonic();
    const outcome = await firstOf(this.#ready, this.#whenClosed, left);
    if (outcome === 'ready') return;
    throw this.unavailable(what, outcome === 'closed' ? new Error('this connection was closed') : undefined);
  }
}

async function firstOf(
  ready: Promise<void>,
  closed: Promise<void>,
  withinMs: number,
): Promise<'ready' | 'closed' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(0, withinMs));
  });
  try {
    return await Promise.race([
      ready.then(() => 'ready' as const),
      closed.then(() => 'closed' as const),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** ioredis's own wording for a lost connection speaks of its options; say what happened instead. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return /max retries per request|Connection is closed/.test(message) ? 'the connection was lost' : message;
}
