import type { z } from 'zod';
import { isSimulated, subjectOfEvent } from '../../../core/index.ts';
import {
  exposureProperties,
  outcomeProperties,
  type ReviewProperties,
  reviewProperties,
  type StoredEvent,
  systemTypes,
  type transferProperties,
} from '../../../schemas/index.ts';
import { isMove } from '../../../stream/identity/records.ts';
import type { LogRecord } from '../../../stream/log/port.ts';
import { jsonText } from '../../../stream/schemas/framing.ts';
import type { TableName } from './tables.ts';
import { countOf, timeOf } from './well-formed.ts';

/** What the commit that processed a record says of it. */
export interface Finding {
  readonly isDuplicate: boolean;
  /** It went on to the partition of its anonymous id's user. */
  readonly isForwarded: boolean;
  readonly lateMs: number;
  readonly isClamped: boolean;
}

export interface Row {
  readonly table: TableName;
  readonly row: object;
}

/**
 * The rows of one record that the worker accepted, found repeated or sent on; its bytes have been checked there. A function of
 * its arguments alone, so that a block that is written again has the same bytes.
 */
export function rowsOfRecord(partition: number, record: LogRecord, finding: Finding): Row[] {
  const event = JSON.parse(jsonText(record)) as StoredEvent;
  if (finding.isForwarded) return [forwardedRow(event, partition, record)];
  if (!isMove(event.type))
    return [rowOfEvent(event, subjectOfEvent(event) ?? '', partition, record, record.appendedAt, finding)];
  // An event that came from its anonymous id's partition: its row is that of its user, here, with its own times.
  const move = event.properties as z.infer<typeof transferProperties>;
  const subject = `u:${event.userId}`;
  const moved = rowOfEvent(move.event, subject, partition, record, move.from.appendedAt, finding);
  if (event.type !== systemTypes.transfer) return [moved];
  return [moved, transferRow(event.userId ?? '', move, partition, record)];
}

/** `subject`: whose state the event is in. `appendedAt`: when it first was in the log. */
function rowOfEvent(
  event: StoredEvent,
  subject: string,
  partition: number,
  record: LogRecord,
  appendedAt: number,
  finding: Finding,
): Row {
  const received = timeOf(appendedAt);
  if (finding.isDuplicate)
    return { table: 'duplicate_rows', row: duplicateRow(event, partition, record, received) };
  const time = finding.isClamped ? received : timeOf(event.time);
  if (event.type.startsWith('$')) return systemRow(event, subject, partition, record, received, time);
  return {
    table: 'events',
    // Written out: spreading what all rows share costs 16 us a row, seven times as much as the rest of it.
    row: {
      tenant: event.tenant,
      subject,
      user_id: event.userId ?? '',
      anonymous_id: event.anonymousId ?? '',
      type: event.type,
      time,
      stated_time: timeOf(event.time),
      received,
      id: event.id,
      session: event.session ?? '',
      properties: JSON.stringify(event.properties),
      context: event.context === undefined ? '{}' : JSON.stringify(event.context),
      source: event.source,
      declared: event.schema !== undefined,
      simulated: isSimulated(event),
      late_ms: countOf(finding.lateMs),
      clamped: finding.isClamped,
      partition,
      position: record.offset,
    },
  };
}

const duplicateRow = (
  event: StoredEvent,
  partition: number,
  record: LogRecord,
  received: number,
): object => ({
  tenant: event.tenant,
  id: event.id,
  type: event.type,
  source: event.source,
  received,
  simulated: isSimulated(event),
  partition,
  position: record.offset,
});

/** The event has its row where it went; here stands that it was here. */
const forwardedRow = (event: StoredEvent, partition: number, record: LogRecord): Row => ({
  table: 'forwarded_event_rows',
  row: {
    tenant: event.tenant,
    anonymous_id: event.anonymousId ?? '',
    user_id: event.userId ?? '',
    type: event.type,
    stated_time: timeOf(event.time),
    received: timeOf(record.appendedAt),
    id: event.id,
    session: event.session ?? '',
    properties: JSON.stringify(event.properties),
    source: event.source,
    simulated: isSimulated(event),
    partition,
    position: record.offset,
  },
});

/** An anonymous id became a user: from here on, what it had done up to its `identify` is the user's. */
const transferRow = (
  userId: string,
  { from, event, state }: z.infer<typeof transferProperties>,
  partition: number,
  record: LogRecord,
): Row => ({
  table: 'identity_transfer_rows',
  row: {
    tenant: event.tenant,
    anonymous_id: from.anonymousId,
    user_id: userId,
    id: event.id,
    time: timeOf(from.time),
    received: timeOf(record.appendedAt),
    source: event.source,
    state_bytes: state === null ? 0 : Buffer.byteLength(state.blob, 'base64'),
    simulated: isSimulated(event),
    source_partition: from.partition,
    source_position: from.position,
    partition,
    position: record.offset,
  },
});

/** An exposure or an outcome; anything else that begins with `$`, and those that do not say what they should, as they are. */
function systemRow(
  event: StoredEvent,
  subject: string,
  partition: number,
  record: LogRecord,
  received: number,
  time: number,
): Row {
  const what = {
    tenant: event.tenant,
    subject,
    session: event.session ?? '',
    time,
    received,
    id: event.id,
    source: event.source,
    simulated: isSimulated(event),
    partition,
    position: record.offset,
  };
  if (event.type === systemTypes.exposure) {
    const exposure = exposureProperties.safeParse(event.properties);
    if (exposure.success) return { table: 'exposure_rows', row: { ...what, ...exposure.data } };
  }
  if (event.type === systemTypes.outcome) {
    const outcome = outcomeProperties.safeParse(event.properties);
    if (outcome.success) return { table: 'outcome_event_rows', row: { ...what, ...outcome.data } };
  }
  if (event.type === systemTypes.review) {
    const review = reviewProperties.safeParse(event.properties);
    if (review.success) return { table: 'review_rows', row: { ...what, ...reviewColumns(review.data) } };
  }
  return {
    table: 'control_event_rows',
    row: { ...what, type: event.type, properties: JSON.stringify(event.properties) },
  };
}

/** The label, apart from whose and when it is. What was let go is a decision of its own, and not repeated here. */
function reviewColumns(review: ReviewProperties): object {
  const { release, reviewer, note, by, waitedMs, ...label } = review;
  return {
    ...label,
    reviewed_by: by,
    reviewer: reviewer ?? '',
    note: note ?? '',
    waited_ms: waitedMs,
    content: release === undefined || label.verdict !== 'edited' ? '' : JSON.stringify(release.content),
  };
}
