import { aliasIsRefused, hasHalfPair, partitionOf } from '../../core/index.ts';
import { type SourceDefinition, type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { LogRecord, NewRecord } from '../../stream/log/port.ts';
import type { Decoded } from '../../stream/schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { checkType } from '../ingest/check.ts';
import { toRecord } from '../ingest/record.ts';
import { type Checked, refused } from '../ingest/reject.ts';
import { eventOfValue, placeId, type SourcePlace } from './map.ts';

export interface SourceContext {
  readonly name: string;
  readonly source: SourceDefinition;
  readonly workspace: CompiledWorkspace;
  /** Of our log. */
  readonly partitions: number;
}

/** So much of an unusable record is kept; with base64 and its envelope it still fits the log. */
const keptBytes = 700 * 1024;

/**
 * A record of a source -> a record of our log, whatever it is: one that can't be an event becomes a `$rejected` one,
 * which the worker puts into the dead letters with the bytes that the source had.
 */
export function recordOfSource(
  context: SourceContext,
  record: LogRecord,
  partition: number,
  decoded: Decoded,
  readAt: number,
): { readonly record: NewRecord; readonly refusal: string | null } {
  const place: SourcePlace = {
    topic: context.source.topic,
    partition,
    offset: record.offset,
    key: record.key,
    time: record.appendedAt,
  };
  const made = make(context, place, decoded, readAt);
  if (made.ok) return { record: made.value, refusal: null };
  const { code, message } = made.reason;
  return { record: rejected(context, place, record.value, code, message, readAt), refusal: code };
}

function make(
  context: SourceContext,
  place: SourcePlace,
  decoded: Decoded,
  readAt: number,
): Checked<NewRecord> {
  const { name, source, workspace, partitions } = context;
  if (!decoded.ok) return refused(decoded.code, decoded.message);
  const event = eventOfValue(name, source, decoded.value, place, readAt);
  if (!event.ok) return event;
  const unfit = unfitSubject(event.value);
  if (unfit !== null) return unfit;
  const { type, properties } = event.value;
  const verdict = checkType(workspace, type, properties, undefined);
  if (!verdict.ok) return verdict;
  const { schema, isExact } = verdict.value;
  const stored: StoredEvent = schema === undefined ? event.value : { ...event.value, schema };
  const made = toRecord(stored, partitions, isExact ? schema : undefined);
  if (made.ok && source.keyed && made.value.partition !== place.partition)
    return refused(
      'wrong_partition',
      `The source is declared as keyed, but "${made.value.key}" belongs to partition ${made.value.partition}.`,
    );
  return made;
}

/** What the worker would refuse: said here, the letter has the record's own place and bytes. */
function unfitSubject({ type, userId, anonymousId }: StoredEvent): Checked<never> | null {
  if (type === 'alias') return refused('merge_of_known', aliasIsRefused);
  if ([userId, anonymousId].some((id) => id !== undefined && hasHalfPair(id)))
    return refused('bad_subject', 'The id of the subject has half a surrogate pair: it is no text.');
  return null;
}

function rejected(
  { name, source, partitions }: SourceContext,
  place: SourcePlace,
  value: Buffer,
  code: string,
  message: string,
  readAt: number,
): NewRecord {
  const cut =
    value.length > keptBytes ? ` Of its ${value.length} bytes the first ${keptBytes} are kept here.` : '';
  const key = placeId(place);
  const event: StoredEvent = {
    v: 1,
    id: key,
    tenant: source.tenant,
    type: systemTypes.rejected,
    anonymousId: key,
    time: readAt,
    properties: {
      code,
      message: `${place.topic}[${place.partition}]@${place.offset}: ${message}${cut}`.slice(0, 4_000),
      bytes: value.subarray(0, keptBytes).toString('base64'),
    },
    source: `source:${name}`,
  };
  return { partition: partitionOf(key, partitions), key, value: Buffer.from(JSON.stringify(event)) };
}
