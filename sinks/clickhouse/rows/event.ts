import { isSimulated, subjectOfEvent } from '../../../core/index.ts';
import {
  exposureProperties,
  outcomeProperties,
  type StoredEvent,
  systemTypes,
} from '../../../schemas/index.ts';
import type { LogRecord } from '../../../stream/log/port.ts';
import type { TableName } from './tables.ts';
import { countOf, timeOf } from './well-formed.ts';

/** What the commit that processed a record says of it. */
export interface Finding {
  readonly isDuplicate: boolean;
  readonly lateMs: number;
  readonly isClamped: boolean;
}

export interface Row {
  readonly table: TableName;
  readonly row: object;
}

/**
 * The row of one record that the worker accepted or found repeated; its bytes have been checked there. A function of
 * its arguments alone, so that a block that is written again has the same bytes.
 */
export function rowOfRecord(partition: number, record: LogRecord, finding: Finding): Row {
  const event = JSON.parse(record.value.toString('utf8')) as StoredEvent;
  const place = {
    id: event.id,
    source: event.source,
    received: timeOf(record.appendedAt),
    simulated: isSimulated(event),
    partition,
    position: record.offset,
  };
  if (finding.isDuplicate)
    return { table: 'duplicate_rows', row: { tenant: event.tenant, type: event.type, ...place } };

  const what = {
    tenant: event.tenant,
    subject: subjectOfEvent(event) ?? '',
    session: event.session ?? '',
    time: timeOf(finding.isClamped ? record.appendedAt : event.time),
    ...place,
  };
  if (event.type.startsWith('$')) return systemRow(event, what);
  return {
    table: 'events',
    row: {
      ...what,
      user_id: event.userId ?? '',
      anonymous_id: event.anonymousId ?? '',
      type: event.type,
      stated_time: timeOf(event.time),
      properties: JSON.stringify(event.properties),
      context: event.context === undefined ? '{}' : JSON.stringify(event.context),
      declared: event.schema !== undefined,
      late_ms: countOf(finding.lateMs),
      clamped: finding.isClamped,
    },
  };
}

/** An exposure or an outcome; anything else that begins with `$`, and those that do not say what they should, as they are. */
function systemRow(event: StoredEvent, what: object): Row {
  if (event.type === systemTypes.exposure) {
    const exposure = exposureProperties.safeParse(event.properties);
    if (exposure.success) return { table: 'exposure_rows', row: { ...what, ...exposure.data } };
  }
  if (event.type === systemTypes.outcome) {
    const outcome = outcomeProperties.safeParse(event.properties);
    if (outcome.success) return { table: 'outcome_rows', row: { ...what, ...outcome.data } };
  }
  return {
    table: 'control_event_rows',
    row: { ...what, type: event.type, properties: JSON.stringify(event.properties) },
  };
}
