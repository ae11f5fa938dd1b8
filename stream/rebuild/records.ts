import { contentId, partitionOf } from '../../core/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { LogRecord } from '../log/port.ts';
import { recordOf } from '../log/record.ts';
import { limits } from '../state/limits.ts';
import type { TopologyParts } from '../topology.ts';
import type { EventHistory, HistoryRow } from './port.ts';
import { stateOfOne } from './state-of-one.ts';

/** Rows of the event table as the records of the log that they were. */
export async function recordsOf(
  rows: readonly HistoryRow[],
  parts: TopologyParts,
  history: EventHistory,
): Promise<LogRecord[]> {
  const moved = rows.filter(({ transfer }) => transfer?.hasState);
  const states = new Map<HistoryRow, SubjectBlob>();
  if (moved.length > 0) {
    const { features } = parts;
    const closed = await history.closed(
      moved.map(({ event, transfer }) => ({
        tenant: event.tenant,
        anonymousId: transfer?.from.anonymousId ?? '',
        partition: transfer?.from.partition ?? 0,
        position: transfer?.from.position ?? 0,
      })),
    );
    for (const [index, row] of moved.entries()) {
      const own = sinceForgotten(closed[index] ?? [], parts.workspace).map((one) => recordOfRow(one, null));
      const anonymousId = row.transfer?.from.anonymousId ?? '';
      const state = await stateOfOne(parts, partitionOf(anonymousId, parts.partitions), own);
      if (state === null) continue;
      const blob = features.encode(state);
      if (blob.length <= limits.blobBytes)
        states.set(row, {
          blob: Buffer.from(blob).toString('base64'),
          layout: features.layoutDescription,
        });
    }
  }
  return rows.map((row) => recordOfRow(row, states.get(row) ?? null));
}

/** What came after the subject's last silence that was so long that it had been forgotten. */
function sinceForgotten(
  rows: readonly HistoryRow[],
  { stateTtlMs, timersDelayMs }: CompiledWorkspace,
): readonly HistoryRow[] {
  const silence = (stateTtlMs ?? Infinity) + timersDelayMs;
  let newest = -Infinity;
  let from = 0;
  for (const [index, { event, appendedAt }] of rows.entries()) {
    const time = Math.min(event.time, appendedAt);
    if (time > newest + silence) from = index;
    newest = Math.max(newest, time);
  }
  return rows.slice(from);
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
