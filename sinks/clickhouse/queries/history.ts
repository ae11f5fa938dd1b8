import type { StoredEvent } from '../../../schemas/index.ts';
import type { Closed, EventHistory, HistoryRow } from '../../../stream/rebuild/port.ts';
import type { Warehouse } from '../port.ts';

export interface HistoryParts {
  readonly warehouse: Pick<Warehouse, 'rows'>;
  /** Everything of the partition below this position is in ClickHouse; null: not known yet. */
  readonly end: (partition: number) => number | null;
  readonly logVersion: number;
}

interface EventRow {
  readonly tenant: string;
  readonly subject: string;
  readonly user_id: string;
  readonly anonymous_id: string;
  readonly type: string;
  readonly time: number;
  readonly stated: number;
  readonly received: number;
  readonly id: string;
  readonly session: string;
  readonly properties: string;
  readonly source: string;
  readonly position: number;
}

interface TransferRow {
  readonly tenant: string;
  readonly anonymous_id: string;
  readonly user_id: string;
  readonly id: string;
  readonly time: number;
  readonly received: number;
  readonly source: string;
  readonly state_bytes: number;
  readonly source_partition: number;
  readonly source_position: number;
  readonly position: number;
  readonly after_position: number;
}

const milliseconds = (column: string): string => `toFloat64(toUnixTimestamp64Milli(${column}))`;

const what = `'{"decision":' || toJSONString(decision) || ',"action":' || toJSONString(toString(action)) || ',"placement":' || toJSONString(toString(placement))`;
const common = `tenant, subject, ${milliseconds('time')} AS time, ${milliseconds('received')} AS received, id, session, toString(source) AS source, toFloat64(position) AS position`;

/** All that changes a subject's state, wherever `where` holds. The engine's own events know their subject only. */
const eventsWhere = (where: string): string => `SELECT * FROM (
  SELECT ${common}, user_id, anonymous_id, toString(type) AS type, ${milliseconds('stated_time')} AS stated, properties FROM events WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, toString(type) AS type, time AS stated, properties FROM control_events WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, '$exposure' AS type, time AS stated, ${what} || '}' AS properties FROM exposures WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, '$outcome' AS type, time AS stated, ${what} || ',"outcome":' || toJSONString(toString(outcome)) || if(isNull(value), '', ',"value":' || toJSONString(value)) || '}' AS properties FROM outcomes WHERE ${where}
) ORDER BY position`;

const transfersWhere = (where: string): string => `SELECT tenant, anonymous_id, user_id, id,
  ${milliseconds('time')} AS time, ${milliseconds('received')} AS received, toString(source) AS source, state_bytes, source_partition,
  toFloat64(source_position) AS source_position, toFloat64(position) AS position, toFloat64(after_position) AS after_position
  FROM identity_transfers WHERE ${where} ORDER BY position`;

/** The event table of ClickHouse, as state is made from it. Exposures and outcomes: the first of each kind for a decision. */
export function eventHistory({ warehouse, end, logVersion }: HistoryParts): EventHistory {
  return {
    end,
    async rows(partition, from, to) {
      const range = { partition, from, to };
      const between = (column: string) => `${column} >= {from: UInt64} AND ${column} < {to: UInt64}`;
      const [events, arrived, closed] = await Promise.all([
        warehouse.rows<EventRow>(
          eventsWhere(`partition = {partition: UInt32} AND ${between('position')}`),
          range,
        ),
        warehouse.rows<TransferRow>(
          transfersWhere(`partition = {partition: UInt32} AND ${between('position')}`),
          range,
        ),
        warehouse.rows<TransferRow>(
          transfersWhere(`source_partition = {partition: UInt32} AND ${between('source_position')}`),
          range,
        ),
      ]);
      const byPosition = new Map<number, HistoryRow>();
      for (const row of events) byPosition.set(row.position, rowOf(row));
      for (const row of closed) byPosition.set(row.source_position, closing(row));
      for (const row of arrived)
        byPosition.set(row.position, arrival(row, byPosition.get(row.position), logVersion));
      return [...byPosition.values()].sort((a, b) => a.position - b.position);
    },
    async closed(asked) {
      if (asked.length === 0) return [];
      const tenants = [...new Set(asked.map(({ tenant }) => tenant))];
      const ids = [...new Set(asked.map(({ anonymousId }) => anonymousId))];
      const [events, moves] = await Promise.all([
        warehouse.rows<EventRow & { readonly partition: number }>(
          eventsWhere('tenant IN {tenants: Array(String)} AND subject IN {subjects: Array(String)}'),
          { tenants, subjects: ids.map((id) => `a:${id}`) },
        ),
        warehouse.rows<TransferRow>(
          transfersWhere('tenant IN {tenants: Array(String)} AND anonymous_id IN {ids: Array(String)}'),
          { tenants, ids },
        ),
      ]);
      return asked.map((one) => ofOne(one, events, moves));
    },
  };
}

function ofOne(one: Closed, events: readonly EventRow[], moves: readonly TransferRow[]) {
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
    .map((row) => ({
      id: row.id,
      type: row.type,
      time: row.time,
      session: row.session === '' ? null : row.session,
      properties: JSON.parse(row.properties) as StoredEvent['properties'],
      position: row.position,
    }));
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
