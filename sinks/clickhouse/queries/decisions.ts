import type { DecisionDetail, DecisionList, DecisionRecord } from '../../../schemas/index.ts';
import type { Warehouse } from '../port.ts';

export interface DecisionFilter {
  /** null = all tenants. */
  readonly tenant: string | null;
  readonly placement?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  /** Decided before this, Unix ms. */
  readonly before?: number | undefined;
  readonly limit: number;
}

type Reader = Pick<Warehouse, 'rows'>;

/** One decision with what was shown and what came of it; null: there is none of that id, or it is another tenant's. */
export async function decisionDetail(
  warehouse: Reader,
  tenant: string | null,
  id: string,
): Promise<DecisionDetail | null> {
  const [found] = await warehouse.rows<{ tenant: string; record: string }>(
    'SELECT tenant, record FROM decisions WHERE id = {id:String}',
    { id },
  );
  if (found === undefined || (tenant !== null && found.tenant !== tenant)) return null;
  const of = { id, tenant: found.tenant };
  const exposures = await warehouse.rows<{ at: string | number }>(
    'SELECT toUnixTimestamp64Milli(time) AS at FROM exposures WHERE decision = {id:String} AND tenant = {tenant:String}',
    of,
  );
  const outcomes = await warehouse.rows<{ at: string | number; outcome: string; value: number | null }>(
    'SELECT toUnixTimestamp64Milli(time) AS at, outcome, value FROM outcomes WHERE decision = {id:String} AND tenant = {tenant:String} ORDER BY time, position',
    of,
  );
  return {
    decision: JSON.parse(found.record) as DecisionRecord,
    exposures: exposures.map(({ at }) => ({ at: Number(at) })),
    outcomes: outcomes.map(({ at, outcome, value }) => ({ at: Number(at), outcome, value })),
  };
}

/** What was to be shown by decisions of one tenant, by id. Those that there are not, or that show nothing, are left out. */
export async function offersOf(
  warehouse: Reader,
  tenant: string,
  ids: readonly string[],
): Promise<
  readonly {
    readonly decision: string;
    readonly subject: string;
    readonly session: string | null;
    readonly action: string;
    readonly placement: string;
    readonly expiresAt: number;
  }[]
> {
  if (ids.length === 0) return [];
  const rows = await warehouse.rows<
    Record<'id' | 'subject' | 'session' | 'action' | 'placement' | 'ends', string>
  >(
    `SELECT id, subject, session, action, placement, toUnixTimestamp64Milli(expires) AS ends FROM decisions
    WHERE tenant = {tenant:String} AND id IN {ids:Array(String)} AND mode = 'act' AND isNotNull(action) AND isNotNull(expires)`,
    { tenant, ids },
  );
  return rows.map(({ id, session, ends, ...rest }) => ({
    ...rest,
    decision: id,
    session: session === '' ? null : session,
    expiresAt: Number(ends),
  }));
}

interface ListRow {
  readonly id: string;
  readonly at: string | number;
  readonly tenant: string;
  readonly subject: string;
  readonly placement: string;
  readonly action: string | null;
  readonly mode: string;
  readonly rung: string;
  readonly accept_probability: number | null;
  readonly candidates: string | number;
  readonly simulated: boolean;
}

/**
 * Decisions by when they were made, newest first, with the latest outcome of each. A page is longer than `limit` where
 * decisions of the same millisecond would otherwise be torn apart, since `next` names a time.
 */
export async function listDecisions(warehouse: Reader, filter: DecisionFilter): Promise<DecisionList> {
  const { tenant, placement, action, subject, before, limit } = filter;
  const given = { tenant: tenant ?? undefined, placement, action, subject };
  const conditions = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = {${name}:String}`],
  );
  if (before !== undefined) conditions.push('decided < fromUnixTimestamp64Milli({before:Int64})');
  const rows = await warehouse.rows<ListRow>(
    `SELECT id, toUnixTimestamp64Milli(decided) AS at, tenant, subject, placement, action, mode, rung,
        accept_probability, candidates, simulated
    FROM decisions
    ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
    ORDER BY decided DESC
    LIMIT {limit:UInt32} WITH TIES`,
    {
      limit,
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      ...(before === undefined ? {} : { before }),
    },
  );
  const outcomes = await latestOutcomes(warehouse, rows);
  const last = rows.at(-1);
  return {
    decisions: rows.map((row) => ({
      id: row.id,
      at: Number(row.at),
      tenant: row.tenant,
      subject: row.subject,
      placement: row.placement,
      action: row.action,
      mode: row.mode,
      rung: row.rung,
      acceptProbability: row.accept_probability,
      candidates: Number(row.candidates),
      simulated: row.simulated,
      outcome: outcomes.get(`${row.tenant}:${row.id}`) ?? null,
    })),
    next: last === undefined || rows.length < limit ? null : Number(last.at),
  };
}

async function latestOutcomes(warehouse: Reader, rows: readonly ListRow[]): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map();
  const found = await warehouse.rows<{ decision: string; tenant: string; outcome: string }>(
    'SELECT decision, tenant, argMax(outcome, (time, position)) AS outcome FROM outcomes WHERE decision IN {ids:Array(String)} GROUP BY decision, tenant',
    { ids: rows.map(({ id }) => id) },
  );
  return new Map(found.map(({ decision, tenant, outcome }) => [`${tenant}:${decision}`, outcome]));
}
