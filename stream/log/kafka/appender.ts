import type { Kafka, Message, Producer } from 'kafkajs';
import { PresageError } from '../../../core/index.ts';
import { logFull } from '../checks.ts';
import type { NewRecord } from '../port.ts';
import { unavailable } from './client.ts';

interface Waiting {
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  readonly resolve: (offsets: number[]) => void;
  readonly reject: (error: unknown) => void;
  readonly patience: NodeJS.Timeout;
  isGone: boolean;
}

export interface AppenderOptions {
  readonly kafka: Kafka;
  readonly where: string;
  readonly topic: string;
  readonly patienceMs: number;
}

/** One request carries at most about this: below the topic's max.message.bytes, should all of it be of one partition. */
const requestBytes = 1024 * 1024;
/** What may wait for its turn; beyond it Kafka is too slow for what comes in. */
const queueBytes = 64 * 1024 * 1024;
/** Kafka's own bytes of a record, at most. */
const recordOverhead = 32;

const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

/**
 * Appends in the order of the calls: one request is in flight, and what arrives meanwhile goes together in the next.
 * A record counts as appended when all in-sync copies have it. kafkajs' idempotent producer loses its sequence after
 * some failures and then never sends again, so it is not used: a request whose outcome is unknown may stand in the log
 * twice, and the worker recognises the repeats by event id.
 */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #isPumping = false;
  #isClosed = false;
  #connecting: Promise<Producer> | null = null;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  append(records: readonly NewRecord[]): Promise<number[]> {
    if (records.length === 0) return Promise.resolve([]);
    if (this.#isClosed) return Promise.reject(this.#unavailable(new Error('the log was closed')));
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    if (this.#queuedBytes + bytes > queueBytes)
      return Promise.reject(logFull('Kafka is slower than what comes in'));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        records,
        bytes,
        resolve,
        reject,
        isGone: false,
        patience: setTimeout(() => {
          waiting.isGone = true;
          reject(this.#unavailable(new Error(`no answer within ${this.#options.patienceMs} ms`)));
        }, this.#options.patienceMs),
      };
      this.#queue.push(waiting);
      this.#queuedBytes += bytes;
      if (!this.#isPumping) void this.#pump();
    });
  }

  /** What waits is refused; what is in flight may still be appended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settle(this.#queue.splice(0), ({ reject }) =>
      reject(this.#unavailable(new Error('the log was closed'))),
    );
    this.#queuedBytes = 0;
    await this.#drop();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        const offsets = await this.#send(group.flatMap(({ records }) => records));
        let from = 0;
        this.#settle(group, ({ records, resolve }) => {
          resolve(offsets.slice(from, from + records.length));
          from += records.length;
        });
      } catch (error) {
        this.#settle(group, ({ reject }) => reject(error));
      }
    }
    this.#isPumping = false;
  }

  #settle(group: readonly Waiting[], settle: (waiting: Waiting) => void): void {
    for (const waiting of group) {
      clearTimeout(waiting.patience);
      settle(waiting);
    }
  }

  /** What nobody waits for any more was not sent, and is left out. */
  #takeGroup(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && bytes + waiting.bytes > requestBytes) break;
      bytes += waiting.bytes;
      count += 1;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count).filter(({ isGone }) => !isGone);
  }

  /** Offsets in the order of the records. Larger than one request: in several, one after the other. */
  async #send(records: readonly NewRecord[]): Promise<number[]> {
    const offsets: number[] = [];
    for (let from = 0; from < records.length; ) {
      let to = from;
      for (let bytes = 0; to < records.length; to++) {
        bytes += sizeOf(records[to] as NewRecord);
        if (to > from && bytes > requestBytes) break;
      }
      offsets.push(...(await this.#request(records.slice(from, to))));
      from = to;
    }
    return offsets;
  }

  async #request(records: readonly NewRecord[]): Promise<number[]> {
    const { topic } = this.#options;
    const messages = records.map(
      ({ partition, key, value }): Message => ({
        partition,
        key,
        value: Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      }),
    );
    try {
      const producer = await this.#connect();
      const answers = await producer.send({ topic, acks: -1, messages });
      const next = new Map(answers.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
      return records.map(({ partition }) => {
        const offset = next.get(partition);
        if (offset === undefined) throw new Error(`no offset came back for partition ${partition}`);
        next.set(partition, offset + 1);
        return offset;
      });
    } catch (error) {
      await this.#drop();
      const type = (error as { type?: string }).type ?? '';
      if (!tooLarge.has(type)) throw this.#unavailable(error);
      throw new PresageError(
        'log_invalid',
        `Nothing was appended to the log: the topic ${topic} refuses records of this size (${type}).`,
        { cause: error },
      );
    }
  }

  #connect(): Promise<Producer> {
    // The rest of a large call: its connection would be nobody's to close.
    if (this.#isClosed) return Promise.reject(new Error('the log was closed'));
    this.#connecting ??= (async () => {
      const producer = this.#options.kafka.producer({
        allowAutoTopicCreation: false,
        idempotent: false,
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
      });
      await producer.connect();
      return producer;
    })();
    return this.#connecting;
  }

  async #drop(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = null;
    await connecting?.then((producer) => producer.disconnect()).catch(() => {});
  }

  #unavailable(error: unknown): PresageError {
    return unavailable(this.#options.where, 'append to the log', error);
  }
}

const sizeOf = ({ key, value }: NewRecord): number => Buffer.byteLength(key) + value.length + recordOverhead;
