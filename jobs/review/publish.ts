import type { EventLog, NewRecord } from '../../stream/log/port.ts';
import { recordOf, reviewEvent } from './event.ts';
import type { ReviewStore } from './port.ts';

/**
 * Appends verdicts to the log, and notes that they are there: at least once, and by this process one at a time. Above the
 * memory limit too, since what waits here is only let go of once the log has it. Throws what the log throws.
 */
export function makePublisher(
  store: ReviewStore,
  log: Pick<EventLog, 'partitions' | 'append'>,
): (id: string, within?: (work: () => Promise<unknown>) => Promise<unknown>) => Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  const append = (records: readonly NewRecord[]): Promise<unknown> => log.append(records, true);

  async function publish(id: string, within: (work: () => Promise<unknown>) => Promise<unknown>) {
    const item = await store.find(id);
    const claim = item?.claim;
    if (item === null || claim == null || item.isPublished) return;
    await within(() => append([recordOf(reviewEvent(item, claim), log.partitions)]));
    await store.published(id);
  }

  return (id, within = (work) => work()) => {
    const known = underWay.get(id);
    if (known !== undefined) return known;
    const begun = publish(id, within).finally(() => underWay.delete(id));
    underWay.set(id, begun);
    return begun;
  };
}
