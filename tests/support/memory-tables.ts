import type { OutboxEntry } from '../../schemas/index.ts';
import type {
  EventRow,
  ForwardedRow,
  HistoryTables,
  Range,
  TransferRow,
} from '../../sinks/clickhouse/queries/history-tables.ts';
import { findingsOf } from '../../sinks/clickhouse/rows/block.ts';
import { rowsOfRecord } from '../../sinks/clickhouse/rows/event.ts';
import type { LogRecord } from '../../stream/log/index.ts';

type Row = Readonly<Record<string, string | number | boolean>>;

/** What ClickHouse would have of a log, as state is made from it: the sink's rows, and its queries by hand. */
export function memoryTables() {
  const events = new Map<number, EventRow[]>();
  const forwarded = new Map<number, ForwardedRow[]>();
  const transfers: (TransferRow & { readonly partition: number })[] = [];
  /** The first exposure of each decision. */
  const exposed = new Set<string>();

  function put(table: string, row: Row, partition: number): void {
    const common = { ...row, stated: row.stated_time ?? row.time } as unknown as EventRow;
    switch (table) {
      case 'events':
      case 'control_event_rows':
        add(events, partition, {
          ...common,
          user_id: common.user_id ?? '',
          anonymous_id: common.anonymous_id ?? '',
        });
        break;
      case 'exposure_rows': {
        if (exposed.has(`${row.tenant}/${row.decision}`)) return;
        exposed.add(`${row.tenant}/${row.decision}`);
        const { decision, action, placement } = row;
        const properties = JSON.stringify({ decision, action, placement });
        add(events, partition, { ...common, type: '$exposure', user_id: '', anonymous_id: '', properties });
        break;
      }
      case 'forwarded_event_rows':
        add(forwarded, partition, common as unknown as ForwardedRow);
        break;
      case 'identity_transfer_rows':
        transfers.push(row as never);
        break;
    }
  }

  const within = <T extends { readonly position: number }>(
    rows: readonly T[] | undefined,
    range: Range,
  ): T[] => (rows ?? []).filter(({ position }) => position >= range.from && position < range.to);

  const tables: HistoryTables = {
    events: async (range) => within(events.get(range.partition), range),
    forwarded: async (range) => within(forwarded.get(range.partition), range),
    arrived: async (range) =>
      within(
        transfers.filter(({ partition }) => partition === range.partition),
        range,
      ),
    left: async ({ partition, from, to }) =>
      transfers.filter(
        ({ source_partition, source_position }) =>
          source_partition === partition && source_position >= from && source_position < to,
      ),
    eventsOf: async (tenants, subjects) =>
      [...events.values()]
        .flat()
        .filter(({ tenant, subject }) => tenants.includes(tenant) && subjects.includes(subject)),
    transfersOf: async (tenants, ids) =>
      transfers.filter(({ tenant, anonymous_id }) => tenants.includes(tenant) && ids.includes(anonymous_id)),
  };

  return {
    tables,
    /** Writes a partition's records by what its commits said of them, in order. */
    write(partition: number, records: readonly LogRecord[], entries: readonly OutboxEntry[]): void {
      const findings = findingsOf(entries);
      for (const record of records) {
        const finding = findings(record.offset);
        if (finding === null) continue;
        for (const { table, row } of rowsOfRecord(partition, record, finding))
          put(table, row as Row, partition);
      }
    },
  };
}

function add<T>(rows: Map<number, T[]>, partition: number, row: T): void {
  const known = rows.get(partition);
  if (known === undefined) rows.set(partition, [row]);
  else known.push(row);
}
