import { contentId } from '../../core/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { FeatureSet } from '../features/port.ts';
import type { LogRecord } from '../log/port.ts';
import { recordOf } from '../log/record.ts';
import { limits } from '../state/limits.ts';
import { replay } from './moved.ts';
import type { EventHistory, HistoryRow } from './port.ts';

/** Rows of the event table as the records of the log that they were. */
export async function recordsOf(
  rows: readonly HistoryRow[],
  features: FeatureSet,
  history: EventHistory,
): Promise<LogRecord[]> {
  const moved = rows.filter(({ transfer }) => transfer?.hasState);
  const states = new Map<HistoryRow, SubjectBlob>();
  if (moved.length > 0) {
    const events = await history.closed(
      moved.map(({ event, transfer }) => ({
        tenant: event.tenant,
        anonymousId: transfer?.from.anonymousId ?? '',
        partition: transfer?.from.partition ?? 0,
        position: transfer?.from.position ?? 0,
      })),
    );
    for (const [index, row] of moved.entries()) {
      const blob = features.encode(replay(features, events[index] ?? []));
      if (blob.length <= limits.blobBytes)
        states.set(row, {
          blob: Buffer.from(blob).toString('base64'),
          layout: features.layoutDescription,
        });
    }
  }
  return rows.map((row) => recordOfRow(row, states.get(row) ?? null));
}

interface SubjectBlob {
  readonly blob: string;
  readonly layout: string;
}

function recordOfRow(row: HistoryRow, state: SubjectBlob | null): LogRecord {
  const { position, appendedAt, event, transfer } = row;
  const stored: StoredEvent =
    transfer === null
      ? event
      : {
          v: 1,
          id: contentId(
            'move',
            String(transfer.from.version),
            String(transfer.from.partition),
            String(transfer.from.position),
          ),
          tenant: event.tenant,
          type: systemTypes.transfer,
          ...(event.userId === undefined ? {} : { userId: event.userId }),
          time: transfer.from.time,
          source: 'engine',
          properties: { from: transfer.from, event, state, caps: '{}' },
        };
  return recordOf(position, appendedAt, '', Buffer.from(JSON.stringify(stored)));
}
