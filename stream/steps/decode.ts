import {
  hasHalfPair,
  messageOf,
  partitionOf,
  rawIdOf,
  type SubjectId,
  subjectOfEvent,
} from '../../core/index.ts';
import { rejectedProperties, type StoredEvent, storedEvent, systemTypes } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { dead, type StepResult } from '../batch.ts';
import { clearedColumns, makeColumns } from '../decode/columns.ts';
import { plainDecoder } from '../decode/plain.ts';
import { type Arrival, isMove, openMove } from '../identity/records.ts';
import { Item } from '../item.ts';
import type { LogRecord } from '../log/port.ts';
import { jsonText } from '../schemas/framing.ts';

/** Before it, a timestamp is a mistake (seconds taken for milliseconds, a clock at its epoch). */
export const earliestEventTime = Date.UTC(2000, 0, 1);

/** Nesting of properties and context. Writing JSON recurses: some thousand levels down it exhausts the stack. */
const deepest = 500;
/** What is read of an envelope that is none, so that a dead letter stays about as large as its record. */
const longestReadable = 256;

/**
 * Bytes of the log -> an event that the workspace knows what to do with, or why it can't be used. The gateway has
 * checked most of this already, but anyone may write to a log.
 */
export function decodeRecord(
  workspace: CompiledWorkspace,
  partition: number,
  partitions: number,
  read: readonly string[],
  logVersion = 1,
): Decoder {
  const plain = plainDecoder(workspace, partition, partitions, read, earliestEventTime);
  const closer = decodeCloser(workspace, partition, partitions, logVersion);
  let columns = makeColumns(0, plain.width);
  let rows = 0;
  /** By row, used again in each batch. */
  const items: (Item | undefined)[] = [];
  return {
    begin(records) {
      columns = clearedColumns(columns, records);
      rows = records;
    },
    decode(record, row) {
      const item = plain.decode(record, columns, row, items[row]);
      if (item === null) return closer(record);
      items[row] = item;
      return item;
    },
    end() {
      for (let row = 0; row < rows; row++) items[row]?.forget();
    },
  };
}

export interface Decoder {
  /** Begins a batch of so many records. Items of the one before must not be used any more. */
  begin(records: number): void;
  /** `row`: the record's place in the batch. */
  decode(record: LogRecord, row: number): Item | Refused;
  /** Lets go of the batch's records. */
  end(): void;
}

export interface Refused {
  readonly refused: StepResult & { kind: 'dead' };
  readonly event: Partial<StoredEvent> | null;
  /** What goes to the dead letters, base64, where it is not the record itself. */
  readonly bytes?: string;
}

/** For records that are not plain: parses the whole, and says what is wrong with it. */
export function decodeCloser(
  workspace: CompiledWorkspace,
  partition: number,
  partitions: number,
  logVersion = 1,
) {
  return function decode(record: LogRecord): Item | Refused {
    const refuse = (code: string, message: string, event: Partial<StoredEvent> | null) => ({
      refused: dead(code, message) as StepResult & { kind: 'dead' },
      event,
    });

    let json: unknown;
    try {
      json = JSON.parse(jsonText(record));
    } catch (error) {
      return refuse('not_json', `The record is not JSON: ${messageOf(error)}`, null);
    }
    const parsed = storedEvent.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return refuse(
        'not_an_event',
        `The record is not an event: ${issue?.path.join('.') || 'value'}: ${issue?.message}`,
        readable(json),
      );
    }
    const event = parsed.data;
    if (event.type === systemTypes.rejected) return rejectedBefore(event, refuse);
    if (!workspace.tenants.has(event.tenant)) {
      return refuse('unknown_tenant', `Tenant "${event.tenant}" is not in the workspace.`, event);
    }
    const subject = subjectOfEvent(event);
    if (subject === undefined)
      return refuse('missing_subject', 'The event has neither userId nor anonymousId.', event);
    if (hasHalfPair(subject))
      return refuse('bad_subject', 'The id of the subject has half a surrogate pair: it is no text.', event);
    // A record shorter than that has no room for so many levels.
    if (record.value.length > 2 * deepest && isDeeperThan([event.properties, event.context], deepest + 1))
      return refuse('too_deep', `Objects and lists are nested more than ${deepest} deep.`, event);
    if (!isOfEngine(event.type) && partitionOf(rawIdOf(subject), partitions) !== partition) {
      return refuse(
        'wrong_partition',
        `The key of "${subject}" belongs to another partition than ${partition}: its producer used another partitioner.`,
        event,
      );
    }
    if (event.time < earliestEventTime) {
      return refuse('time_out_of_range', `Event time ${event.time} is before the year 2000.`, event);
    }
    if (isMove(event.type)) {
      const opened = openMove(event, partitions, logVersion);
      return typeof opened === 'string'
        ? refuse('not_a_move', `A ${event.type} record can't be used: ${opened}.`, event)
        : arrived(record, subject, opened.event, opened.arrival);
    }
    if (!event.type.startsWith('$')) {
      const type = workspace.types.get(event.type);
      if (type === undefined && !workspace.eventsAreOpen) {
        return refuse(
          'unknown_event_type',
          `Event type "${event.type}" is not declared and the workspace is closed.`,
          event,
        );
      }
      const wrong = type?.check(event.properties);
      if (wrong)
        return refuse('wrong_type', `${wrong.path}: expected ${wrong.expected}, got ${wrong.got}.`, event);
    }
    const { tenant, type, time } = event;
    return new Item(record, { tenant, type, subject, key: `${tenant}:${subject}`, time }, event);
  };
}

/** The event that a record brings, about the user it is for, at the time that was settled where it came from. */
function arrived(record: LogRecord, subject: SubjectId, event: StoredEvent, arrival: Arrival): Item {
  const { tenant, type, time } = event;
  const item = new Item(record, { tenant, type, subject, key: `${tenant}:${subject}`, time }, event);
  item.arrival = arrival;
  item.time = arrival.from.time;
  return item;
}
/** What the engine says to a partition is about no subject. */
const isOfEngine = (type: string): boolean => type === systemTypes.control || type === systemTypes.tick;

/** A source found it unusable: the letter says what the source said, and holds the bytes that it had. */
function rejectedBefore(
  event: StoredEvent,
  refuse: (code: string, message: string, event: StoredEvent) => Refused,
): Refused {
  const told = rejectedProperties.safeParse(event.properties);
  if (!told.success) return refuse('not_an_event', `A ${event.type} record says nothing of use.`, event);
  const { code, message, bytes } = told.data;
  return { ...refuse(code, message, event), bytes };
}

function isDeeperThan(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, left - 1));
}

/** What can still be said of an envelope that did not parse. */
function readable(json: unknown): Partial<StoredEvent> | null {
  if (typeof json !== 'object' || json === null) return null;
  const { tenant, id, source } = json as Record<string, unknown>;
  return {
    ...(typeof tenant === 'string' ? { tenant: tenant.slice(0, longestReadable) } : {}),
    ...(typeof id === 'string' ? { id: id.slice(0, longestReadable) } : {}),
    ...(typeof source === 'string' ? { source: source.slice(0, longestReadable) } : {}),
  };
}
