import type { DecisionRecord } from '../../schemas/index.ts';
import { reachedPositions, subjectEvents } from '../../sinks/clickhouse/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import { inHalves } from './halve.ts';
import type { ParityOptions, Served } from './port.ts';

export interface Sample {
  readonly ids: readonly string[];
  readonly otherWorkspace: number;
  readonly notYetStored: number;
  /** By partition: the highest position that has reached ClickHouse. */
  readonly reached: ReadonlyMap<number, number>;
  /** Event time of the oldest decision of this version of the workspace, if there are others; else null: it always was. */
  readonly begunAt: number | null;
}

/**
 * The first decisions by id. Ids are hashes, so these are spread evenly; and they stand together in the table, which is
 * read where they are and nowhere else.
 */
export async function sampleDecisions({ workspace, ask, sample, since }: ParityOptions): Promise<Sample> {
  const reached = new Map(
    (await ask<{ partition: number; position: number }>(reachedPositions)).map((row) => [
      Number(row.partition),
      Number(row.position),
    ]),
  );
  const tenants = [...workspace.tenants.keys()].map(quoted).join(', ');
  const conditions = `recorded AND tenant IN (${tenants})${since === null ? '' : ` AND time >= fromUnixTimestamp64Milli(toInt64(${since}))`}`;
  const own = `workspace = ${quoted(workspace.hash)}`;
  const [others] = await ask<{ n: number; begun: number }>(
    `SELECT toUInt32(countIf(NOT ${own})) AS n, toFloat64(toUnixTimestamp64Milli(minIf(time, ${own}))) AS begun FROM decisions WHERE ${conditions}`,
  );
  const rows = await ask<{ id: string; partition: number; position: number }>(
    `SELECT id, partition, position FROM decisions WHERE ${conditions} AND ${own} ORDER BY id LIMIT ${sample}`,
  );
  const stored = rows.filter((row) => Number(row.position) <= (reached.get(Number(row.partition)) ?? -1));
  return {
    ids: stored.map(({ id }) => id),
    otherWorkspace: Number(others?.n ?? 0),
    notYetStored: rows.length - stored.length,
    reached,
    begunAt: Number(others?.n ?? 0) === 0 ? null : Number(others?.begun ?? 0),
  };
}

/**
 * SQL of decisions as points of the log (`FeatureQueryParts.points`), each named by its index. Written out: the table
 * of decisions is wide, and the query looks at its points several times.
 */
export function pointsOf(decisions: readonly Served[]): string {
  const rows = decisions.map(
    ({ tenant, subject, partition, position, time }, index) =>
      `(${index}, ${quoted(tenant)}, ${quoted(subject)}, ${partition}, ${position}, ${time})`,
  );
  return `SELECT toUInt32(x.1) AS point, x.2 AS tenant, x.3 AS subject, toUInt32(x.4) AS partition, toInt64(x.5) AS position, toInt64(x.6) AS at FROM (SELECT arrayJoin([${rows.join(', ')}]) AS x)`;
}

/** What was served to these decisions. */
export async function servedTo(ask: ParityOptions['ask'], ids: readonly string[]): Promise<Served[]> {
  const rows = await ask<{ record: string }>(
    `SELECT record FROM decisions WHERE id IN (${ids.map(quoted).join(', ')})`,
  );
  return rows.map(({ record }) => {
    const { id, tenant, subject, log, time, features, shared } = JSON.parse(record) as DecisionRecord;
    return { id, tenant, subject, ...log, time, features, snapshot: shared ?? null };
  });
}

/**
 * Repeats that came beyond what de-duplication remembers: they stand in the event table and count twice everywhere.
 * `asked`: subjects whose repeats are known already; those of these decisions are added.
 */
export async function repeatsOf(
  ask: ParityOptions['ask'],
  decisions: readonly Served[],
  asked: Set<string>,
): Promise<number> {
  const subjects = decisions.flatMap(({ tenant, subject }) => {
    const key = JSON.stringify([tenant, subject]);
    if (asked.has(key)) return [];
    asked.add(key);
    return [`(${quoted(tenant)}, ${quoted(subject)})`];
  });
  const counts = await inHalves(subjects, async (some) => {
    const those = `SELECT x.1 AS tenant, x.2 AS subject FROM (SELECT arrayJoin([${some.join(', ')}]) AS x)`;
    const [row] = await ask<{ n: number }>(
      `SELECT toUInt32(count() - uniqExact(tenant, subject, id)) AS n FROM (${subjectEvents(those)})`,
    );
    return Number(row?.n ?? 0);
  });
  return counts.reduce((sum, n) => sum + n, 0);
}
