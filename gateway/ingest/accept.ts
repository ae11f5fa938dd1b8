import { PresageError } from '../../core/index.ts';
import type { CallName, FeedEvent, Rejection, StoredEvent } from '../../schemas/index.ts';
import type { EventLog, NewRecord } from '../../stream/log/port.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { checkType } from './check.ts';
import { toRecord } from './record.ts';
import { type Checked, refused } from './reject.ts';
import { type BatchParts, type ReceivedEvent, readMessage } from './segment.ts';
import { checkTime } from './time.ts';

/** Where events go and what they are checked against. */
export interface IngestParts {
  readonly log: EventLog;
  readonly workspace: CompiledWorkspace;
  readonly newId: () => string;
}

/** Who sends, and when it arrived (Unix ms). */
export interface Origin {
  readonly tenant: string;
  readonly source: string;
  readonly receivedAt: number;
}

/** What became of a call's events. */
export interface Accepted {
  readonly records: readonly NewRecord[];
  readonly rejected: readonly Rejection[];
  readonly generated: readonly { readonly index: number; readonly messageId: string }[];
}

/** Segment messages as records of the log, in order; those that can't be kept with the reason. */
export function acceptMessages(
  parts: IngestParts,
  origin: Origin,
  messages: readonly unknown[],
  call: CallName | null,
  batch: BatchParts | null,
): Accepted {
  const generated: { index: number; messageId: string }[] = [];
  return acceptAll(
    messages,
    (json, index) => {
      const read = readMessage(json, call, origin.receivedAt, batch);
      if (!read.ok) return read;
      const event = read.value;
      // Not a hash of the content: two equal clicks without an id are two clicks.
      const id = event.id ?? parts.newId();
      const record = toLog(parts, origin, { ...event, id });
      if (record.ok && event.id === null) generated.push({ index, messageId: id });
      return record;
    },
    generated,
  );
}

/** Events of `presage feed`, whose shape has been checked, in order. */
export function acceptFeed(
  parts: IngestParts,
  origin: Origin,
  events: readonly Checked<FeedEvent>[],
): Accepted {
  return acceptAll(
    events,
    (read) => {
      if (!read.ok) return read;
      const event = read.value;
      if (event.type.startsWith('$')) {
        return refused(
          'reserved_type',
          `"${event.type}": names that begin with $ are kept for Presage's own events.`,
          { path: 'type' },
        );
      }
      const time = checkTime(event.time, origin.receivedAt);
      if (!time.ok) return time;
      return toLog(parts, origin, {
        ...event,
        userId: event.userId,
        anonymousId: event.anonymousId,
        session: event.session,
        context: event.context,
      });
    },
    [],
  );
}

function acceptAll<T>(
  items: readonly T[],
  accept: (item: T, index: number) => Checked<NewRecord>,
  generated: Accepted['generated'],
): Accepted {
  const records: NewRecord[] = [];
  const rejected: Rejection[] = [];
  items.forEach((item, index) => {
    const outcome = accept(item, index);
    if (outcome.ok) records.push(outcome.value);
    else rejected.push({ index, ...outcome.reason });
  });
  return { records, rejected, generated };
}

function toLog(
  parts: IngestParts,
  origin: Origin,
  event: ReceivedEvent & { readonly id: string },
): Checked<NewRecord> {
  const verdict = checkType(parts.workspace, event.type, event.properties, event.context);
  if (!verdict.ok) return verdict;
  const { schema } = verdict.value;
  const stored: StoredEvent = {
    v: 1,
    id: event.id,
    tenant: origin.tenant,
    type: event.type,
    time: event.time,
    properties: event.properties,
    source: origin.source,
    ...(event.userId === undefined ? {} : { userId: event.userId }),
    ...(event.anonymousId === undefined ? {} : { anonymousId: event.anonymousId }),
    ...(event.session === undefined ? {} : { session: event.session }),
    ...(event.context === undefined ? {} : { context: event.context }),
    ...(schema === undefined ? {} : { schema }),
  };
  return toRecord(stored, parts.log.partitions, verdict.value.isExact ? schema : undefined);
}

/** Appends, and answers only when the log has everything. Throws `log_full` or `log_unavailable`, both retriable. */
export async function append(parts: IngestParts, records: readonly NewRecord[]): Promise<readonly number[]> {
  if (records.length === 0) return [];
  try {
    return await parts.log.append(records);
  } catch (error) {
    if (error instanceof PresageError) throw error;
    throw new PresageError('log_unavailable', 'The log could not take the events; send them again.', {
      retriable: true,
      cause: error,
    });
  }
}
