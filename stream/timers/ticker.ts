import type { Clock, Logger } from '../../core/index.ts';
import { contentId, messageOf } from '../../core/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { EventLog, NewRecord } from '../log/port.ts';
import type { PartitionState } from '../partition-state.ts';
import type { Horizon } from './horizon.ts';
import { paced, type Watermark } from './watermark.ts';

export interface TickerParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly partition: number;
  readonly horizon: Horizon;
  readonly delayMs: number;
  readonly onTick?: () => void;
}

/** How often it is looked whether a tick is due: about how late a timer of an idle partition may be. */
const lookEveryMs = 500;
/** A log whose clock is behind ours clamps a tick, which then makes nothing due. */
const askAgainMs = 2_000;

/**
 * Appends a `$tick` to its partition where a timer has come due and no event has moved the watermark so far: timers fire
 * only from the log, so that the log alone says which did. The tick's time goes on from the watermark at the pace of
 * the clock. More ticks than needed do no harm.
 */
export function makeTicker({ log, clock, logger, partition, horizon, delayMs, onTick }: TickerParts) {
  let lookedAt = -Infinity;
  /** By tenant: what the last tick made due. It is not asked for again while that tick is on its way. */
  const asked = new Map<string, { readonly due: number; readonly at: number }>();

  /** Call when nothing is between the memory and its commits. Never throws. */
  return async function tick(state: PartitionState): Promise<void> {
    if (clock.monotonic() - lookedAt < lookEveryMs) return;
    lookedAt = clock.monotonic();
    const records: NewRecord[] = [];
    try {
      for (const [tenant, mark] of state.watermarks) {
        const record = await tickFor(tenant, mark);
        if (record !== null) records.push(record);
      }
      if (records.length === 0) return;
      await log.append(records);
      for (const _ of records) onTick?.();
    } catch (error) {
      asked.clear();
      logger.warn({ partition, err: messageOf(error) }, 'Could not append a tick; it is tried again');
    }
  };

  async function tickFor(tenant: string, mark: Watermark): Promise<NewRecord | null> {
    const now = clock.now();
    // Before two subjects were seen there is only one whose timers it could fire.
    const [base, since] = mark.at === -Infinity ? [mark.leadTime, mark.ledAt] : [mark.at, mark.movedAt];
    if (base === -Infinity) return null;
    const time = paced(base, since, now);
    await horizon.reach(tenant, time - delayMs);
    const head = horizon.head(tenant, time - delayMs);
    const own = horizon.dueOf(tenant, mark.leader);
    const leadTime = paced(mark.leadTime, mark.ledAt, now);
    const isOwnDue = own !== undefined && own <= leadTime - delayMs;
    if (head === null && !isOwnDue) return null;
    const due = head === null ? (own ?? 0) : head === 'unread' ? time : head.due;
    const before = asked.get(tenant);
    if (before?.due === due && lookedAt - before.at < askAgainMs) return null;
    asked.set(tenant, { due, at: lookedAt });
    const event: StoredEvent = {
      v: 1,
      id: contentId('tick', String(partition), tenant, String(time), String(now)),
      tenant,
      type: systemTypes.tick,
      anonymousId: 'engine',
      time,
      properties: {
        clock: now,
        ...(isOwnDue ? { leader: { leader: mark.leader, time: leadTime } } : {}),
      },
      source: 'engine',
    };
    return { partition, key: 'engine', value: Buffer.from(JSON.stringify(event)) };
  }
}
