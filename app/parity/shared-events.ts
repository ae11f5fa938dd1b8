import { quoted, readable, textSql } from '../../stream/features/sql/index.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import type { Ask, Served } from './port.ts';

/**
 * What a tenant's shared features had counted: in each partition all events up to a position, and all before `before`, of
 * the partitions that there were then.
 */
export interface Snapshot {
  readonly tenant: string;
  readonly positions: readonly (readonly [partition: number, position: number])[];
  readonly before: number;
  readonly readBy: Served[];
}

/** The different snapshots that these decisions read. */
export function snapshotsOf(decisions: readonly Served[]): Snapshot[] {
  const snapshots = new Map<string, Snapshot>();
  for (const decision of decisions) {
    if (decision.snapshot === null) continue;
    const { before = 0 } = decision.snapshot;
    const positions = Object.entries(decision.snapshot.positions).map(
      ([partition, position]) => [Number(partition), position] as const,
    );
    const key = JSON.stringify([decision.tenant, before, positions]);
    const known = snapshots.get(key);
    if (known !== undefined) known.readBy.push(decision);
    else snapshots.set(key, { tenant: decision.tenant, positions, before, readBy: [decision] });
  }
  return [...snapshots.values()];
}

/**
 * SQL of the events in a snapshot, whoever's they are. Nothing of the engine's own (`$...`) is in the table. In a query
 * of its own: what surrounds it gives other meanings to `partition` and `position`.
 */
const rowsIn = ({ tenant, positions, before }: Snapshot): string =>
  `FROM (SELECT tenant, time, type, id, properties FROM events WHERE tenant = ${quoted(tenant)} AND (${[
    `toInt64(position) < ${before}`,
    ...positions.map(
      ([partition, position]) => `(partition = ${partition} AND toInt64(position) <= ${position})`,
    ),
  ].join(' OR ')}))`;

const typed = ({ types }: CompiledFeature): string =>
  types === null ? 'true' : `type IN (${['', ...types].map(quoted).join(', ')})`;

/** The same as what one subject did (`FeatureQueryParts.events`), as far as these features count it. */
export const eventsIn = (snapshot: Snapshot, features: readonly CompiledFeature[]): string =>
  `SELECT tenant, 'all' AS subject, toUInt32(0) AS partition, toInt64(0) AS position, toUnixTimestamp64Milli(time) AS time, toString(type) AS type, id, '' AS session, properties ${rowsIn(snapshot)} WHERE (${features.map(typed).join(' OR ')})`;

/** The one point at which they are computed (`FeatureQueryParts.points`). */
export const pointAt = ({ tenant }: Snapshot, at: number): string =>
  `SELECT toUInt32(0) AS point, ${quoted(tenant)} AS tenant, 'all' AS subject, toUInt32(0) AS partition, toInt64(0) AS position, toInt64(${at}) AS at`;

/** Event time that a snapshot's values are of: of the newest event that any of the features looks at; 0: there is none. */
export async function timeOf(
  snapshot: Snapshot,
  features: readonly CompiledFeature[],
  ask: Ask,
): Promise<number> {
  const counted = features.map(
    (feature) => `(${typed(feature)}${feature.by === null ? '' : ` AND isNotNull(${textSql(feature.by)})`})`,
  );
  const [row] = await ask<{ at: number }>(
    `SELECT toFloat64(toUnixTimestamp64Milli(maxIf(time, ${counted.join(' OR ')}))) AS at FROM (SELECT time, type, ${readable('properties')} AS json ${rowsIn(snapshot)})`,
  );
  return Number(row?.at ?? 0);
}

/** All values of `by` that the events of a snapshot have. */
export async function keysIn(
  snapshot: Snapshot,
  feature: CompiledFeature,
  ask: Ask,
): Promise<readonly string[]> {
  if (feature.by === null) return [];
  const rows = await ask<{ key: string }>(
    `SELECT DISTINCT ${textSql(feature.by)} AS key FROM (SELECT type, ${readable('properties')} AS json ${rowsIn(snapshot)}) WHERE ${typed(feature)} AND isNotNull(key)`,
  );
  return rows.map(({ key }) => key);
}
