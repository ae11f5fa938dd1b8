import { createHash } from 'node:crypto';
import { PresageError } from '../../core/index.ts';
import type { FeedEvent } from '../../schemas/api.ts';
import { mapRow, type RowMap } from './map.ts';
import { RepeatCounter } from './repeats.ts';
import { type RowFormat, readRows } from './rows.ts';
import { ExternalSorter, type SortLimits } from './sort/index.ts';
import type { FeedSource } from './source.ts';

export interface Reject {
  readonly row: number;
  readonly code: string;
  readonly message: string;
}

/** An event and the source row it came from. */
export interface PlannedEvent {
  readonly row: number;
  readonly event: FeedEvent;
}

/** Everything of a file in the order in which it will be sent. */
export interface FeedPlan {
  readonly fileHash: string;
  readonly rows: number;
  readonly events: number;
  /** The events from the n-th on; to be read once. */
  from(first: number): AsyncIterable<PlannedEvent>;
  /** The first of the rows that no event could be made of. */
  readonly rejects: readonly Reject[];
  readonly rejectedCount: number;
  /** Events whose id another event of the file has already. */
  readonly repeats: number;
  /** Runs of the sort that went to disk; 0 = all fitted in memory. */
  readonly runs: number;
  /** Frees the temporary disk. */
  close(): Promise<void>;
}

export interface PlanOptions {
  readonly name: string;
  readonly map: RowMap;
  readonly order: 'time' | 'file';
  readonly format: RowFormat | null;
  readonly sort: SortLimits;
  readonly signal: AbortSignal;
}

const mostRejectsKept = 100;

/** SHA-256 of the source's bytes as hex: the root of the ids of its events. */
export async function hashSource(source: FeedSource, name: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of source.open()) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new PresageError('file_unreadable', `${name} could not be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  return hash.digest('hex');
}

/**
 * Reads, maps and orders a whole file: by event time, ties by source row; or as it stands. What doesn't fit in the
 * sort's memory goes to disk. The same file always gives the same order. null = interrupted.
 */
export async function planFeed(source: FeedSource, options: PlanOptions): Promise<FeedPlan | null> {
  const fileHash = await hashSource(source, options.name);
  const sorter = new ExternalSorter(options.sort);
  const ids = new RepeatCounter({ ...options.sort, memoryBytes: options.sort.memoryBytes / 4 });
  const close = async (): Promise<void> => {
    await Promise.all([sorter.close(), ids.close()]);
  };
  const rejects: Reject[] = [];
  let rejectedCount = 0;
  let rows = 0;
  try {
    for await (const sourceRow of readRows(source.open(), options)) {
      if (options.signal.aborted) {
        await close();
        return null;
      }
      rows++;
      for (const mapped of mapRow(sourceRow, options.map, fileHash)) {
        if (mapped.kind === 'reject') {
          const { row, code, message } = mapped;
          if (rejectedCount++ < mostRejectsKept) rejects.push({ row, code, message });
          continue;
        }
        const { event, row } = mapped;
        const text = jsonOf({ row, event });
        if (text === null) {
          const message = 'the mapping returned what JSON can not hold';
          if (rejectedCount++ < mostRejectsKept) rejects.push({ row, code: 'not_an_event', message });
          continue;
        }
        const spilled = sorter.add(options.order === 'time' ? event.time : 0, text);
        if (spilled !== null) await spilled;
        const idsSpilled = ids.add(event.id);
        if (idsSpilled !== null) await idsSpilled;
      }
    }
    const { runs, count: events } = sorter;
    const repeats = await ids.count();
    await ids.close();
    const from = (first: number) => eventsFrom(sorter, first);
    return { fileHash, rows, events, from, rejects, rejectedCount, repeats, runs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** null: it has a circle or a BigInt, which a mapping module may make. */
function jsonOf(planned: PlannedEvent): string | null {
  try {
    return JSON.stringify(planned);
  } catch {
    return null;
  }
}

async function* eventsFrom(sorter: ExternalSorter, first: number): AsyncGenerator<PlannedEvent> {
  let position = 0;
  for await (const { payload } of sorter.sorted()) {
    if (position++ >= first) yield JSON.parse(payload.toString()) as PlannedEvent;
  }
}
