import type { Warehouse } from '../port.ts';

export interface EventRow {
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
  /** Of `position`. */
  readonly partition?: number;
}

export interface TransferRow {
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
  /** Of `position`. */
  readonly partition?: number;
}

export interface ForwardedRow {
  readonly tenant: string;
  readonly user_id: string;
  readonly anonymous_id: string;
  readonly type: string;
  readonly stated: number;
  readonly received: number;
  readonly id: string;
  readonly session: string;
  readonly properties: string;
  readonly source: string;
  readonly position: number;
  /** Of `position`. */
  readonly partition?: number;
}

/** Positions of a partition: from `from` to before `to`. */
export interface Range {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /**
   * Into how many partitions the log is divided since: the positions are then of all partitions that there were, of the
   * subjects that `partition` has now.
   */
  readonly divided?: number;
}

/** What the tables know of positions and of anonymous ids. */
export interface HistoryTables {
  events(range: Range): Promise<EventRow[]>;
  /** Transfers that arrived in the range, and those that left from it. */
  arrived(range: Range): Promise<TransferRow[]>;
  left(range: Range): Promise<TransferRow[]>;
  forwarded(range: Range): Promise<ForwardedRow[]>;
  eventsOf(tenants: readonly string[], subjects: readonly string[]): Promise<EventRow[]>;
  transfersOf(tenants: readonly string[], anonymousIds: readonly string[]): Promise<TransferRow[]>;
}

const milliseconds = (column: string): string => `toFloat64(toUnixTimestamp64Milli(${column}))`;

const what = `'{"decision":' || toJSONString(decision) || ',"action":' || toJSONString(toString(action)) || ',"placement":' || toJSONString(toString(placement))`;
const said = `',"verdict":' || toJSONString(toString(verdict)) || ',"reason":' || toJSONString(toString(reason)) || ',"probability":' || toJSONString(probability) || ',"confidence":' || ifNull(toJSONString(confidence), 'null') || ',"threshold":' || toJSONString(threshold) || ',"by":' || toJSONString(toString(reviewed_by)) || ',"escalated":' || if(escalated, 'true', 'false') || ',"waitedMs":' || toString(waited_ms)`;
const common = `tenant, subject, ${milliseconds('time')} AS time, ${milliseconds('received')} AS received, id, session, toString(source) AS source, toFloat64(position) AS position, partition`;

/** All that changes a subject's state, wherever `where` holds. The engine's own events know their subject only. */
const eventsWhere = (where: string): string => `SELECT * FROM (
  SELECT ${common}, user_id, anonymous_id, toString(type) AS type, ${milliseconds('stated_time')} AS stated, properties FROM events WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, toString(type) AS type, time AS stated, properties FROM control_events WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, '$exposure' AS type, time AS stated, ${what} || '}' AS properties FROM exposures WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, '$outcome' AS type, time AS stated, ${what} || ',"outcome":' || toJSONString(toString(outcome)) || if(isNull(value), '', ',"value":' || toJSONString(value)) || '}' AS properties FROM outcomes WHERE ${where}
  UNION ALL
  SELECT ${common}, '' AS user_id, '' AS anonymous_id, '$review' AS type, time AS stated, ${what} || ${said} || '}' AS properties FROM reviews WHERE ${where}
) ORDER BY position`;

const transfersWhere = (where: string): string => `SELECT tenant, anonymous_id, user_id, id,
  ${milliseconds('time')} AS time, ${milliseconds('received')} AS received, toString(source) AS source, state_bytes, source_partition,
  toFloat64(source_position) AS source_position, partition, toFloat64(position) AS position, toFloat64(after_position) AS after_position
  FROM identity_transfers WHERE ${where} ORDER BY position`;

/** Everything of an anonymous id from its first `identify` on, in the anonymous id's partition. */
const forwardedWhere = (
  where: string,
): string => `SELECT tenant, user_id, anonymous_id, toString(type) AS type,
  ${milliseconds('stated_time')} AS stated, ${milliseconds('received')} AS received, id, session, properties, toString(source) AS source,
  partition, toFloat64(position) AS position FROM forwarded_events WHERE ${where} ORDER BY position`;

/** Rows of a range; `own` is their column of the partition, `id` what they are divided by. */
function inRange({ divided }: Range, position: string, own: string, id: string): string {
  // ClickHouse's hash is Kafka's, as core/murmur2.ts is.
  const place = divided === undefined ? own : `modulo(kafkaMurmurHash(${id}), {divided: UInt32})`;
  return `${place} = {partition: UInt32} AND ${position} >= {from: UInt64} AND ${position} < {to: UInt64}`;
}

export function historyTables(warehouse: Pick<Warehouse, 'rows'>): HistoryTables {
  return {
    events: (range) =>
      warehouse.rows<EventRow>(
        eventsWhere(inRange(range, 'position', 'partition', 'substring(subject, 3)')),
        {
          ...range,
        },
      ),
    arrived: (range) =>
      warehouse.rows<TransferRow>(transfersWhere(inRange(range, 'position', 'partition', 'user_id')), {
        ...range,
      }),
    left: (range) =>
      warehouse.rows<TransferRow>(
        transfersWhere(inRange(range, 'source_position', 'source_partition', 'anonymous_id')),
        { ...range },
      ),
    forwarded: (range) =>
      warehouse.rows<ForwardedRow>(forwardedWhere(inRange(range, 'position', 'partition', 'anonymous_id')), {
        ...range,
      }),
    eventsOf: (tenants, subjects) =>
      warehouse.rows<EventRow>(
        eventsWhere('tenant IN {tenants: Array(String)} AND subject IN {subjects: Array(String)}'),
        { tenants, subjects },
      ),
    transfersOf: (tenants, ids) =>
      warehouse.rows<TransferRow>(
        transfersWhere('tenant IN {tenants: Array(String)} AND anonymous_id IN {ids: Array(String)}'),
        { tenants, ids },
      ),
  };
}
