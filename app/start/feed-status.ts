import { type FeedTotals, feedTotals, type Sink, type Warehouse } from '../../sinks/clickhouse/index.ts';
import { relayReader } from '../../stream/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import type { StateStore } from '../../stream/state/index.ts';

export interface FeedStatusParts {
  readonly log: Pick<EventLog, 'partitions' | 'range'>;
  readonly store: Pick<StateStore, 'outboxRange' | 'readerState'>;
  readonly sink: Pick<Sink, 'passed'>;
  readonly warehouse: Pick<Warehouse, 'rows'>;
  /** Of the log's division into partitions. */
  readonly version?: () => number;
}

/** How far each partition has to come before all that a run led to is in ClickHouse. */
interface Ends {
  readonly outbox: readonly number[];
  /** Null until the relay has passed `outbox`: then the log holds all that it had to move. */
  log: readonly number[] | null;
}

/** Runs waited for at once; beyond it the first is waited for anew. */
const mostRuns = 64;

/**
 * Whether all events of a run, up to these offsets, are accounted for in ClickHouse, and how many of each sort. An event
 * of an anonymous id that has become a user goes through the outbox and the log once more, so after the offsets come
 * what the outbox held then, and what the log held after that: fixed points, which are reached however busy it is.
 */
export function makeFeedStatus({ log, store, sink, warehouse, version }: FeedStatusParts) {
  const waiting = new Map<string, Ends>();
  const all = (): number[] => Array.from({ length: log.partitions }, (_, partition) => partition);

  const hasRelayed = async (ends: readonly number[]): Promise<boolean> => {
    const saved = await Promise.all(all().map((partition) => store.readerState(partition, relayReader)));
    return ends.every((end, partition) => {
      const state = saved[partition];
      return (
        end === 0 ||
        (typeof state === 'string' && (JSON.parse(state) as { position: number }).position >= end)
      );
    });
  };

  return async (
    run: string,
    offsets: ReadonlyMap<number, number>,
  ): Promise<{ passed: boolean; totals: FeedTotals | null }> => {
    const notYet = { passed: false, totals: null };
    if (![...offsets].every(([partition, offset]) => sink.passed(partition, offset))) return notYet;
    // Ends of other partitions say nothing of these.
    const key = JSON.stringify([version?.() ?? 1, run, [...offsets]]);
    let ends = waiting.get(key);
    if (ends === undefined) {
      const ranges = await Promise.all(all().map((partition) => store.outboxRange(partition)));
      ends = { outbox: ranges.map(({ end }) => end), log: null };
      for (const oldest of waiting.keys()) if (waiting.size >= mostRuns) waiting.delete(oldest);
      waiting.set(key, ends);
    }
    if (ends.log === null) {
      if (!(await hasRelayed(ends.outbox))) return notYet;
      const ranges = await Promise.all(all().map((partition) => log.range(partition)));
      ends.log = ranges.map(({ end }) => end);
    }
    if (!ends.log.every((end, partition) => end === 0 || sink.passed(partition, end - 1))) return notYet;
    waiting.delete(key);
    return { passed: true, totals: await feedTotals(warehouse, run) };
  };
}
