import type { Redis } from 'ioredis';
import type { Clock } from '../../../core/index.ts';

const freshMs = 100;

/** How full Redis is, as a share of maxmemory (0 when it has none); asked at most ten times a second. */
export class MemoryGauge {
  readonly #clock: Clock;
  #askedAt = Number.NEGATIVE_INFINITY;
  #share = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFresh(): boolean {
    return this.#clock.monotonic() - this.#askedAt < freshMs;
  }

  get share(): number {
    return this.#share;
  }

  async ask(redis: Redis): Promise<void> {
    const info = await redis.info('memory');
    const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const most = field('maxmemory');
    // Redis itself leaves out buffers that noeviction does not count.
    this.#share = most === 0 ? 0 : (field('used_memory') - field('mem_not_counted_for_evict')) / most;
    this.#askedAt = this.#clock.monotonic();
  }
}
