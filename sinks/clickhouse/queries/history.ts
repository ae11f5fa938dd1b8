import type { StoredEvent } from '../../../schemas/index.ts';
import { type LogVersion, placeOf, versionAt } from '../../../stream/log/versions.ts';
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
  /** How the log is and has been divided; the last is in force. */
  readonly versions: () => readonly LogVersion[];
}

/** Positions from `from` to before `to` of one version of the log, and of which partitions. */
interface Stretch {
  readonly version: LogVersion;
  readonly isInForce: boolean;
  readonly from: number;
  readonly to: number;
}

/**
 * The versions that places from `from` to before `to` are of. In the version in force a place is a position of the
 * partition; of versions before it, all partitions are one line (`placeOf`).
 */
function stretchesOf(all: readonly LogVersion[], from: number, to: number): Stretch[] {
  return all.flatMap((version, index): Stretch[] => {
    const { base, partitions } = version;
    const end = all[index + 1]?.base ?? Infinity;
    const [first, last] = [Math.max(from, base), Math.min(to, end)];
    if (first >= last) return [];
    if (end === Infinity) return [{ version, isInForce: true, from: first, to: last }];
    return [
      {
        version,
        isInForce: false,
        from: base + Math.floor((first - base) / partitions),
        to: base + Math.ceil((last - base) / partitions),
      },
    ];
  });
}

/**
 * The event table of ClickHouse, as state is made from it. Exposures and outcomes: the first of each kind for a decision.
 * Events of before the partitions became these are those of the subjects that they have now.
 * Where what went on to users was not written yet (before migration 0006), only what closed a state is known of it.
 */
export const eventHistory = ({ warehouse, ...parts }: HistoryParts): EventHistory =>
  historyOf(historyTables(warehouse), parts);

/** The same, of what tables say; `end` and `versions` as in HistoryParts. */
export function historyOf(
  tables: HistoryTables,
  { end, versions }: Omit<HistoryParts, 'warehouse'>,
): EventHistory {
  async function rowsIn(stretch: Stretch, partition: number, divided: number): Promise<HistoryRow[]> {
    const { version, isInForce, from, to } = stretch;
    const range = { partition, from, to, ...(isInForce ? {} : { divided }) };
    const [events, arrived, left, forwarded] = await Promise.all([
      tables.events(range),
      tables.arrived(range),
      tables.left(range),
      tables.forwarded(range),
    ]);
    const place = (position: number, own = 0): number =>
      isInForce ? position : placeOf(version, own, position);
    const byPlace = new Map<number, HistoryRow>();
    // What the engine told a whole partition of before says nothing of these.
    const told = isInForce ? events : events.filter(({ subject }) => subject !== 'a:engine');
    for (const row of told) byPlace.set(place(row.position, row.partition), rowOf(row));
    for (const row of left) byPlace.set(place(row.source_position, row.source_partition), closing(row));
    for (const row of forwarded) byPlace.set(place(row.position, row.partition), goneOn(row));
    for (const row of arrived) {
      const at = place(row.position, row.partition);
      byPlace.set(at, arrival(row, byPlace.get(at), versionAt(versions(), row.source_position).version));
    }
    return [...byPlace].map(([position, row]) => ({ ...row, position }));
  }

  return {
    end,
    async rows(partition, from, to) {
      const all = versions();
      const divided = all.at(-1)?.partitions ?? 1;
      const found: HistoryRow[] = [];
      for (const stretch of stretchesOf(all, from, to))
        found.push(...(await rowsIn(stretch, partition, divided)));
      return found
        .filter(({ position }) => position >= from && position < to)
        .sort((a, b) => a.position - b.position);
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
