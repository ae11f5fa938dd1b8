import { type Health, type Logger, messageOf, type Role } from '../../core/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import type { StateStore } from '../../stream/state/index.ts';

/** Lowest positions that readers of a partition still need; null while one of them is not known. */
export type Needed = (partition: number) => Promise<{ readonly log: number; readonly outbox: number } | null>;

export interface TrimParts {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly needed: Needed;
  readonly logger: Logger;
  /** Leaves the log alone: it has a retention of its own, and is what state is rebuilt from. */
  readonly keepsLog?: boolean;
  readonly everyMs?: number;
  /** Records kept beyond what is needed, for the live view and for looking things up. */
  readonly keep?: number;
}

/** Forgets log and outbox entries that worker, sink and push have all passed: that is what bounds Redis' memory. */
export function makeTrimmer(parts: TrimParts): Role {
  const everyMs = parts.everyMs ?? 1_000;
  const keep = parts.keep ?? 2_000;
  let timer: NodeJS.Timeout | null = null;
  let current: Promise<void> = Promise.resolve();
  let health: Health = { state: 'starting', why: 'not started yet' };

  async function trimAll(): Promise<void> {
    try {
      for (let partition = 0; partition < parts.log.partitions; partition++) {
        const needed = await parts.needed(partition);
        if (needed === null) continue;
        const { position } = await parts.store.head(partition);
        const log = Math.min(position, needed.log) - keep;
        const outbox = needed.outbox - keep;
        if (log > 0 && parts.keepsLog !== true) await parts.log.trim(partition, log);
        if (outbox > 0) await parts.store.trimOutbox(partition, outbox);
      }
      health = { state: 'ok' };
    } catch (error) {
      health = { state: 'degraded', why: messageOf(error) };
      parts.logger.warn({ err: messageOf(error) }, 'Trimming waits for the state store');
    }
  }

  const schedule = (): void => {
    timer = setTimeout(() => {
      current = trimAll().then(() => {
        if (timer !== null) schedule();
      });
    }, everyMs);
  };

  return {
    name: 'trim',
    start: async () => {
      health = { state: 'ok' };
      schedule();
    },
    stop: async () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await current;
    },
    health: () => health,
  };
}
