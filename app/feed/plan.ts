import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PresageError } from '../../core/index.ts';
import type { FeedEvent } from '../../schemas/api.ts';
import { mapRow, type RowMap } from './map.ts';
import { type RowFormat, readRows } from './rows.ts';

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
  readonly events: readonly PlannedEvent[];
  readonly rejects: readonly Reject[];
  /** Events whose id another event of the file has already. */
  readonly repeats: number;
}

/** Above it, sorting in memory is no longer a good idea; split the file (sorting on disk comes with the next release). */
const mostEvents = 5_000_000;

/** SHA-256 of a file's bytes as hex: the root of the ids of its events. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new PresageError('file_unreadable', `${path} could not be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  return hash.digest('hex');
}

/** Reads, maps and orders a whole file: by event time, ties by source row; or as it stands. */
export async function planFeed(
  path: string,
  options: { name: string; map: RowMap; order: 'time' | 'file'; format: RowFormat | null },
): Promise<FeedPlan> {
  const fileHash = await hashFile(path);
  const events: PlannedEvent[] = [];
  const rejects: Reject[] = [];
  let rows = 0;
  for await (const source of readRows(createReadStream(path), options)) {
    rows++;
    for (const mapped of mapRow(source, options.map, fileHash)) {
      if (mapped.kind === 'event') events.push({ row: mapped.row, event: mapped.event });
      else rejects.push({ row: mapped.row, code: mapped.code, message: mapped.message });
    }
    if (events.length > mostEvents) {
      throw new PresageError(
        'file_too_large',
        `${options.name} has more than ${mostEvents} events: split it and feed the parts in order.`,
      );
    }
  }
  // Array.prototype.sort is stable, so rows of one time stay in the order of the file.
  if (options.order === 'time') events.sort((a, b) => a.event.time - b.event.time);
  const repeats = events.length - new Set(events.map(({ event }) => event.id)).size;
  return { fileHash, rows, events, rejects, repeats };
}
