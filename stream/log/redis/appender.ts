import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../core/index.ts';
import { functionLibrary, Packer, type RedisCaller } from '../../redis/index.ts';
import { logFull } from '../checks.ts';
import type { NewRecord } from '../port.ts';
import { MemoryGauge } from './memory-gauge.ts';
import { packedBytes, packRecord } from './record.ts';

interface Waiting {
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  readonly resolve: (offsets: number[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface AppenderOptions {
  readonly caller: RedisCaller;
  readonly clock: Clock;
  readonly streamKey: (partition: number) => string;
  /** Refuse from this share of maxmemory on; null: never, not even above it. */
  readonly fullAt: number | null;
}

/** One call to Redis carries at most about this; larger ones would hold up everyone else's commands. */
const callBytes = 1024 * 1024;
/** What may wait for its turn; beyond it Redis is too slow for what comes in. */
const queueBytes = 64 * 1024 * 1024;

const library = functionLibrary({
  name: 'log',
  files: ['../../redis/keys.lua', './append.lua'].map((file) => new URL(file, import.meta.url)),
  functions: { append: [], append_always: ['allow-oom'] },
});

/**
 * Appends in the order of the calls: one call to Redis is in flight, and what arrives meanwhile goes together in the
 * next. Calls are numbered, so that sending one again after a lost connection or time-out cannot append twice.
 */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #gauge: MemoryGauge;
  readonly #key: string;
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #call = 0;
  #isPumping = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#gauge = new MemoryGauge(options.clock);
    this.#key = `presage:appender:${randomUUID()}`;
  }

  append(records: readonly NewRecord[]): Promise<number[]> {
    if (records.length === 0) return Promise.resolve([]);
    const bytes = records.reduce((sum, record) => sum + packedBytes(record), 0);
    if (this.#queuedBytes + bytes > queueBytes)
      return Promise.reject(logFull('Redis is slower than what comes in'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      if (!this.#isPumping) void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#send(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isPumping = false;
  }

  #takeGroup(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && bytes + waiting.bytes > callBytes) break;
      bytes += waiting.bytes;
      count += 1;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #send(group: readonly Waiting[]): Promise<void> {
    await this.#refuseWhenFull();
    const { partitions, packed } = pack(group, this.#options.clock.now());
    this.#call += 1;
    const keys = [this.#key, ...partitions.map(this.#options.streamKey)];
    const args = [String(this.#call), packed];
    const firsts = (await this.#options.caller.call(
      (redis) =>
        redis.fcall(
          library.functionName(this.#options.fullAt === null ? 'append_always' : 'append'),
          keys.length,
          ...keys,
          ...args,
        ),
      { what: 'append to the log', repeatable: true, loadFunctions: library.load },
    )) as number[];
    const next = new Map(partitions.map((partition, index) => [partition, firsts[index] ?? 0]));
    for (const { records, resolve } of group) {
      resolve(
        records.map(({ partition }) => {
          const offset = next.get(partition) ?? 0;
          next.set(partition, offset + 1);
          return offset;
        }),
      );
    }
  }

  async #refuseWhenFull(): Promise<void> {
    const gauge = this.#gauge;
    const { fullAt } = this.#options;
    if (fullAt === null) return;
    if (!gauge.isFresh) {
      await this.#options.caller.call((redis) => gauge.ask(redis), {
        what: 'append to the log',
        repeatable: true,
      });
    }
    if (gauge.share >= fullAt) {
      const share = Math.round(gauge.share * 100);
      throw logFull(`Redis is at ${share}% of its maxmemory, and the log may use it up to ${fullAt * 100}%`);
    }
  }
}

/** The records of all calls, one list for each partition that has any. */
function pack(group: readonly Waiting[], appendedAt: number): { partitions: number[]; packed: Buffer } {
  const counts = new Map<number, number>();
  let bytes = 256;
  for (const waiting of group) {
    bytes += waiting.bytes;
    for (const { partition } of waiting.records) counts.set(partition, (counts.get(partition) ?? 0) + 1);
  }
  const packer = new Packer(bytes).array(counts.size);
  for (const [partition, count] of counts) {
    packer.array(count);
    for (const { records } of group) {
      for (const record of records) {
        if (record.partition === partition) packRecord(packer, record, appendedAt);
      }
    }
  }
  return { partitions: [...counts.keys()], packed: packer.finish() };
}
