import { setTimeout as wait } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { type Clock, PresageError } from '../../../core/index.ts';
import { unavailable } from './client.ts';

const retryMs = 100;

/** One admin connection, made when it is first needed and made anew after any trouble. */
export class SharedAdmin {
  readonly #kafka: Kafka;
  readonly #where: string;
  readonly #patienceMs: number;
  readonly #clock: Clock;
  #connecting: Promise<Admin> | null = null;
  #isClosed = false;

  constructor(kafka: Kafka, where: string, patienceMs: number, clock: Clock) {
    this.#kafka = kafka;
    this.#where = where;
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  /**
   * What `use` returns; it may be called several times, so it must be repeatable. Throws PresageError
   * `log_unavailable` when Kafka gave no answer in all that time, and whatever PresageError `use` throws.
   */
  async call<T>(what: string, use: (admin: Admin) => Promise<T>): Promise<T> {
    const givesUpAt = this.#clock.monotonic() + this.#patienceMs;
    for (;;) {
      if (this.#isClosed) throw unavailable(this.#where, what, new Error('the log was closed'));
      const connecting = this.#connect();
      try {
        return await use(await connecting);
      } catch (error) {
        if (error instanceof PresageError) throw error;
        if (this.#connecting === connecting) this.#connecting = null;
        void disconnect(connecting);
        if (this.#clock.monotonic() >= givesUpAt) throw unavailable(this.#where, what, error);
        await wait(retryMs);
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connecting = this.#connecting;
    this.#connecting = null;
    if (connecting !== null) await disconnect(connecting);
  }

  #connect(): Promise<Admin> {
    this.#connecting ??= (async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    })();
    return this.#connecting;
  }
}

async function disconnect(connecting: Promise<Admin>): Promise<void> {
  await connecting.then((admin) => admin.disconnect()).catch(() => {});
}
