import type { SourceDefinition, StoredEvent } from '../../schemas/index.ts';
import { type Checked, kept, nameOfType, refused, wrongType } from '../ingest/reject.ts';
import { readTime } from '../ingest/time.ts';

/** Where a record of a source stands. */
export interface SourcePlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** The record's own time, Unix milliseconds. */
  readonly time: number;
}

/** The record's place as an event id: the same record is the same event, however often it is read. */
export const placeId = ({ topic, partition, offset }: SourcePlace): string =>
  `${topic}/${partition}/${offset}`;

type Fields = Readonly<Record<string, unknown>>;

/** A decoded value -> the event it is, or why it can't be one. `readAt`: now, against which times are checked. */
export function eventOfValue(
  name: string,
  source: SourceDefinition,
  value: unknown,
  place: SourcePlace,
  readAt: number,
): Checked<StoredEvent> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrongType('value', 'object', nameOfType(value));
  const fields = value as Fields;
  const { map } = source;
  const find = (path: string | undefined, ...usual: string[]): unknown => {
    if (path !== undefined) return at(fields, path, place);
    for (const field of usual) if (isThere(fields[field])) return fields[field];
    return undefined;
  };

  const id = idOf('id', find(map.id, 'id', 'messageId'));
  if (!id.ok) return id;
  const type = source.type ?? find(map.type, 'type', 'event');
  if (typeof type !== 'string' || type === '')
    return wrongType(map.type ?? 'type', 'the name of an event type', nameOfType(type));
  if (type.startsWith('$'))
    return refused(
      'reserved_event_type',
      `Event types that begin with $ are the engine's own: ${type.slice(0, 64)}.`,
    );
  const user = idOf(map.user ?? 'userId', find(map.user, 'userId'));
  if (!user.ok) return user;
  const anonymous = idOf(map.anonymous ?? 'anonymousId', find(map.anonymous, 'anonymousId'));
  if (!anonymous.ok) return anonymous;
  const session = idOf(map.session ?? 'session', find(map.session));
  if (!session.ok) return session;
  const stated = find(map.time, 'time', 'timestamp');
  const time = readTime(isThere(stated) ? stated : place.time, readAt);
  if (!time.ok) return time;
  const properties =
    find(map.properties, 'properties') ?? (map.properties === undefined ? fields : undefined);
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
    return wrongType(map.properties ?? 'properties', 'object', nameOfType(properties));

  return kept({
    v: 1,
    id: id.value ?? placeId(place),
    tenant: source.tenant,
    type,
    ...(user.value === undefined ? {} : { userId: user.value }),
    ...(anonymous.value === undefined ? {} : { anonymousId: anonymous.value }),
    ...(session.value === undefined ? {} : { session: session.value }),
    time: time.value,
    properties: properties as Record<string, unknown>,
    source: `source:${name}`,
  });
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** `$key`, or names separated by points. */
function at(fields: Fields, path: string, place: SourcePlace): unknown {
  if (path === '$key') return place.key === '' ? undefined : place.key;
  let found: unknown = fields;
  for (const step of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Fields)[step];
  }
  return found;
}

/** An id as text; numbers are written out. */
function idOf(path: string, value: unknown): Checked<string | undefined> {
  if (!isThere(value) || value === '') return kept(undefined);
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string') return wrongType(path, 'text or a whole number', nameOfType(value));
  if (text.length > 256)
    return refused('id_too_long', `${path} has ${text.length} characters; at most 256 are taken.`);
  return kept(text);
}
