import type { StoredEvent } from '../../../schemas/index.ts';
import type { Closed, EventHistory, HistoryRow } from '../../../stream/rebuild/port.ts';
import type { Warehouse } from '../port.ts';
import {
  type EventRow,
  type ForwardedRow,
  type HistoryTables,
  historyTables,
  type TransferRow,
} from './history-tables.ts';

export interface HistoryParts {
  readonly warehouse: Pick<Warehouse, 'rows'>;
  /** Everything of the partition below this position is in ClickHouse; null: not known yet. */
  readonly end: (partition: number) => number | null;
  readonly logVersion: number;
}

/**
 * The event table of ClickHouse, as state is made from it. Exposures and outcomes: the first of each kind for a decision.
 * Where what went on to users was not written yet (before migration 0006), only what closed a state is known of it.
 */
export const eventHistory = ({ warehouse, ...parts }: HistoryParts): EventHistory =>
  historyOf(historyTables(warehouse), parts);

/** The same, of what tables say; `end` and `logVersion` as in HistoryParts. */
export function historyOf(
  tables: HistoryTables,
  { end, logVersion }: Omit<HistoryParts, 'warehouse'>,
): EventHistory {
  return {
    end,
    async rows(partition, from, to) {
      const range = { partition, from, to };
      const [events, arrived, left, forwarded] = await Promise.all([
        tables.events(range),
        tables.arrived(range),
        tables.left(range),
        tables.forwarded(range),
      ]);
      const byPosition = new Map<number, HistoryRow>();
      for (const row of events) byPosition.set(row.position, rowOf(row));
      for (const row of left) byPosition.set(row.source_position, closing(row));
      for (const row of forwarded) byPosition.set(row.position, goneOn(row));
      for (const row of arrived)
        byPosition.set(row.position, arrival(row, byPosition.get(row.position), logVersion));
      return [...byPosition.values()].sort((a, b) => a.position - b.position);
    },
    async closed(asked) {
      if (asked.length === 0) return [];
      const tenants = [...new Set(asked.map(({ tenant }) => tenant))];
      const ids = [...new Set(asked.map(({ anonymousId }) => anonymousId))];
      const subjects = ids.map((id) => `a:${id}`);
      const [events, moves] = await Promise.all([
        tables.eventsOf(tenants, subjects),
        tables.transfersOf(tenants, ids),
      ]);
      return asked.map((one) => ofOne(one, events, moves));
    },
  };
}

function ofOne(one: Closed, events: readonly EventRow[], moves: readonly TransferRow[]): HistoryRow[] {
  const after = Math.max(
    -1,
    ...moves
      .filter(
        ({ tenant, anonymous_id, source_position }) =>
          tenant === one.tenant && anonymous_id === one.anonymousId && source_position < one.position,
      )
      .map(({ source_position }) => source_position),
  );
  return events
    .filter(
      ({ tenant, subject, position }) =>
        tenant === one.tenant &&
        subject === `a:${one.anonymousId}` &&
        position > after &&
        position < one.position,
    )
    .map(rowOf);
}

function rowOf(row: EventRow): HistoryRow {
  return { position: row.position, appendedAt: row.received, event: eventOf(row), transfer: null };
}

/** As it was in the log of this partition. An event that was forwarded is its user's alone here. */
function eventOf(row: EventRow): StoredEvent {
  const isUsers = row.subject.startsWith('u:');
  const raw = row.subject.slice(2);
  const ownIds = isUsers
    ? {
        userId: raw,
        ...(row.type !== 'identify' && row.user_id !== '' && row.anonymous_id !== ''
          ? { anonymousId: row.anonymous_id }
          : {}),
      }
    : { anonymousId: raw };
  return {
    v: 1,
    id: row.id,
    tenant: row.tenant,
    type: row.type,
    ...ownIds,
    ...(row.session === '' ? {} : { session: row.session }),
    time: row.stated,
    properties: JSON.parse(row.properties) as StoredEvent['properties'],
    source: row.source,
  };
}

const identifyOf = (row: TransferRow, properties: StoredEvent['properties'], time: number): StoredEvent => ({
  v: 1,
  id: row.id,
  tenant: row.tenant,
  type: 'identify',
  userId: row.user_id,
  anonymousId: row.anonymous_id,
  time,
  properties,
  source: row.source,
});

/** As it was in the partition of the anonymous id, whose it was no longer. */
const goneOn = (row: ForwardedRow): HistoryRow => ({
  position: row.position,
  appendedAt: row.received,
  event: {
    v: 1,
    id: row.id,
    tenant: row.tenant,
    type: row.type,
    anonymousId: row.anonymous_id,
    ...(row.user_id === '' ? {} : { userId: row.user_id }),
    ...(row.session === '' ? {} : { session: row.session }),
    time: row.stated,
    properties: JSON.parse(row.properties) as StoredEvent['properties'],
    source: row.source,
  },
  transfer: null,
});

/** The `identify` in the partition of the anonymous id, where it closed the state. */
const closing = (row: TransferRow): HistoryRow => ({
  position: row.source_position,
  appendedAt: row.received,
  event: identifyOf(row, {}, row.time),
  transfer: null,
});

/** And in the partition of the user, with what it brought. */
function arrival(row: TransferRow, event: HistoryRow | undefined, version: number): HistoryRow {
  const appendedAt = event?.appendedAt ?? row.received;
  const identify = identifyOf(row, event?.event.properties ?? {}, event?.event.time ?? row.time);
  const { session } = event?.event ?? {};
  return {
    position: row.position,
    appendedAt,
    event: session === undefined ? identify : { ...identify, session },
    transfer: {
      from: {
        version,
        partition: row.source_partition,
        position: row.source_position,
        appendedAt,
        anonymousId: row.anonymous_id,
        time: row.time,
      },
      hasState: row.state_bytes > 0,
    },
  };
}
