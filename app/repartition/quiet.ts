import { reviewReader } from '../../jobs/index.ts';
import { relayReader } from '../../stream/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import type { StateStore } from '../../stream/state/index.ts';

/** Readers of the outbox; the sink is another one, which reads the log, too. */
export const followers = ['push', relayReader, reviewReader] as const;
export const sinkReader = 'sink';

/** Where all partitions end, and whether everything before it has been processed, written, pushed and moved. */
export interface Ends {
  readonly log: readonly number[];
  readonly outbox: readonly number[];
  /** What is not there yet; null: all is quiet. */
  readonly behind: string | null;
  /** Records and entries that somebody still has to read. */
  readonly lag: number;
}

interface Saved {
  readonly position?: number;
  readonly outbox?: number;
  readonly log?: number;
}

/** As the stores say. */
export async function endsOf({
  log,
  store,
}: {
  readonly log: Pick<EventLog, 'partitions' | 'range'>;
  readonly store: Pick<StateStore, 'head' | 'outboxRange' | 'readerState'>;
}): Promise<Ends> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const all = await Promise.all(
    partitions.map(async (partition) => {
      const [own, outbox, head, ...saved] = await Promise.all([
        log.range(partition),
        store.outboxRange(partition),
        store.head(partition),
        ...[sinkReader, ...followers].map((reader) => store.readerState(partition, reader)),
      ]);
      const [sink, ...others] = saved.map((text) => (text === null ? {} : (JSON.parse(text) as Saved)));
      // Who has saved nothing begins at the oldest.
      const positions: [string, number, number][] = [
        ['the worker', head.position, own.end],
        ['the sink', sink?.log ?? own.start, own.end],
        ['the sink', sink?.outbox ?? outbox.start, outbox.end],
        ...others.map((each, index): [string, number, number] => [
          followers[index] ?? '',
          each.position ?? outbox.start,
          outbox.end,
        ]),
      ];
      return { partition, log: own.end, outbox: outbox.end, positions };
    }),
  );
  const late = all.flatMap(({ partition, positions }) =>
    positions
      .filter(([, position, end]) => position !== end)
      .map(([who, position, end]) => ({
        lag: Math.abs(end - position),
        why: `${who} is at ${position} of ${end} in partition ${partition}`,
      })),
  );
  return {
    log: all.map((each) => each.log),
    outbox: all.map((each) => each.outbox),
    behind: late[0]?.why ?? null,
    lag: late.reduce((sum, { lag }) => sum + lag, 0),
  };
}
