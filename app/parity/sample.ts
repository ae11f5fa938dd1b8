import type { DecisionRecord } from '../../schemas/index.ts';
import { reachedPositions, subjectEvents } from '../../sinks/clickhouse/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import type { ParityOptions, Served } from './port.ts';

export interface Sample {
  readonly ids: readonly string[];
  readonly otherWorkspace: number;
  readonly notYetStored: number;
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
  const [others] = await ask<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM decisions WHERE ${conditions} AND NOT ${own}`,
  );
  const rows = await ask<{ id: string; partition: number; position: number }>(
    `SELECT id, partition, position FROM decisions WHERE ${conditions} AND ${own} ORDER BY id LIMIT ${sample}`,
  );
  const stored = rows.filter((row) => Number(row.position) <= (reached.get(Number(row.partition)) ?? -1));
  return {
    ids: stored.map(({ id }) => id),
    otherWorkspace: Number(others?.n ?? 0),
    notYetStored: rows.length - stored.length,
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
    const { id, tenant, subject, log, time, features } = JSON.parse(record) as DecisionRecord;
    return { id, tenant, subject, ...log, time, features };
  });
}

/** Repeats that came beyond what de-duplication remembers: they stand in the event table and count twice everywhere. */
export async function repeatsOf(ask: ParityOptions['ask'], decisions: readonly Served[]): Promise<number> {
  const [row] = await ask<{ n: number }>(
    `WITH points AS (${pointsOf(decisions)}) SELECT toUInt32(count() - uniqExact(tenant, subject, id)) AS n FROM (${subjectEvents('SELECT tenant, subject FROM points')})`,
  );
  return Number(row?.n ?? 0);
}
