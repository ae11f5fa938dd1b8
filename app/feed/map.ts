import { pathToFileURL } from 'node:url';
import { contentId, messageOf, PresageError } from '../../core/index.ts';
import { parseTime } from '../../gateway/index.ts';
import type { FeedEvent } from '../../schemas/api.ts';
import type { SourceRow } from './rows.ts';

/** Where a row came from: ids are content, so the same file fed twice is the same events. */
export interface RowSource {
  readonly fileHash: string;
  readonly row: number;
}

/** A mapping module's default export: one parsed row -> zero or more events. */
export type RowMap = (row: Record<string, unknown>, source: RowSource) => unknown;

/** Loads a mapping module. Throws PresageError `map_unusable` with what is wrong; `form` says what it must be. */
export async function loadRowMap(
  path: string,
  form = '(row, source) => event, events or nothing',
): Promise<RowMap> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (cause) {
    throw new PresageError(
      'map_unusable',
      `The mapping module ${path} could not be loaded: ${messageOf(cause)}`,
      { cause },
    );
  }
  if (typeof loaded.default !== 'function') {
    throw new PresageError(
      'map_unusable',
      `The mapping module ${path} must export a function as default: ${form}.`,
    );
  }
  return loaded.default as RowMap;
}

/**
 * Without a mapping module a row must already be an event (type, time or timestamp, userId or anonymousId, properties)
 * or a call as Segment's clients send it, where a track call has the event's name in `event` and its id in `messageId`.
 */
export const rowIsEvent: RowMap = (row) => ({
  ...row,
  id: row.id ?? row.messageId,
  time: row.time ?? row.timestamp,
  type: row.type === 'track' ? (row.event ?? row.type) : (row.type ?? row.event),
  properties: row.properties ?? row.traits,
});

export type Mapped =
  | { readonly kind: 'event'; readonly row: number; readonly index: number; readonly event: FeedEvent }
  | { readonly kind: 'reject'; readonly row: number; readonly code: string; readonly message: string };

/** The events of one row, each with an id, or why there are none. Never throws. */
export function mapRow(source: SourceRow, map: RowMap, fileHash: string): Mapped[] {
  const { row } = source;
  if (source.problem !== undefined)
    return [{ kind: 'reject', row, code: 'row_unreadable', message: source.problem }];
  let result: unknown;
  try {
    result = map(source.value, { fileHash, row });
  } catch (error) {
    return [{ kind: 'reject', row, code: 'map_failed', message: messageOf(error) }];
  }
  if (result === null || result === undefined) return [];
  const list: unknown[] = Array.isArray(result) ? result : [result];
  return list.map((value, index) => eventOf(value, row, index, fileHash));
}

function eventOf(value: unknown, row: number, index: number, fileHash: string): Mapped {
  const refuse = (message: string): Mapped => ({ kind: 'reject', row, code: 'not_an_event', message });
  if (typeof value !== 'object' || value === null)
    return refuse('the mapping returned something that is not an event');
  const { type, time, properties, context, ...given } = value as Record<string, unknown>;
  const at = timeOf(time);
  if (typeof type !== 'string' || type === '') return refuse('type: expected a name');
  if (at === null) return refuse(`time: expected Unix milliseconds or ISO 8601, got ${shown(time)}`);
  const ids: { [name in IdName]?: string } = {};
  for (const name of idNames) {
    const found = given[name];
    if (found === undefined || found === null || found === '') continue;
    if (!isId(found)) return refuse(`${name}: expected text or a whole number, got ${shown(found)}`);
    ids[name] = String(found);
  }
  if (ids.userId === undefined && ids.anonymousId === undefined)
    return refuse('expected a userId or an anonymousId');
  if (properties !== undefined && (typeof properties !== 'object' || properties === null))
    return refuse('properties: expected an object');
  return {
    kind: 'event',
    row,
    index,
    event: {
      ...ids,
      id: ids.id ?? contentId('feed', fileHash, String(row), String(index)),
      type,
      time: at,
      properties: (properties ?? {}) as Record<string, unknown>,
      ...(typeof context === 'object' && context !== null
        ? { context: context as Record<string, unknown> }
        : {}),
    },
  };
}

const idNames = ['id', 'userId', 'anonymousId', 'session'] as const;
type IdName = (typeof idNames)[number];

/** A larger number has been rounded: two people would be one. */
const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || Number.isSafeInteger(value);

/** As the gateway reads times, so without a zone in UTC, whatever zone this machine is in; CSV has numbers as text. */
function timeOf(value: unknown): number | null {
  const isDigits = typeof value === 'string' && /^\d{12,14}$/.test(value);
  const time = value instanceof Date ? value.getTime() : parseTime(isDigits ? Number(value) : value);
  return Number.isFinite(time) ? time : null;
}

const longestShown = 60;

/** A value in a sentence; a module may give anything, of any length. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, longestShown)) : String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}...` : text;
}
