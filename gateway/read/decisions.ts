import { PresageError } from '../../core/index.ts';
import type { DecisionDetail, DecisionList, DecisionRecord } from '../../schemas/index.ts';
import type { Warehouse } from '../../sinks/clickhouse/port.ts';

export interface DecisionFilter {
  /** null = all tenants. */
  readonly tenant: string | null;
  readonly placement?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  /** Decided before this, Unix ms. */
  readonly before?: number | undefined;
  /** At most 200. */
  readonly limit: number;
}

/** Decisions as ClickHouse has them. Throws `no_warehouse`, `warehouse_unavailable`. */
export interface DecisionReader {
  /** Newest first. */
  list(filter: DecisionFilter): Promise<DecisionList>;
  /** With its exposures and outcomes. Throws `unknown_decision`, also for one of another tenant. */
  one(tenant: string | null, id: string): Promise<DecisionDetail>;
}

/** Reads from ClickHouse's de-duplicating views. */
export function makeDecisionReader(warehouse: Warehouse | null): DecisionReader {
  const need = (): Warehouse => {
    if (warehouse !== null) return warehouse;
    throw new PresageError(
      'no_warehouse',
      'This instance runs without ClickHouse, where decisions are kept.',
    );
  };
  return {
    list: async (filter) => list(need(), filter),
    one: async (tenant, id) => one(need(), tenant, id),
  };
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
  readonly acceptProbability: number | null;
  readonly candidates: number;
  readonly simulated: boolean;
}

/** A condition for each filter that is set; values go as parameters, never into the text. */
const conditions: Readonly<Record<'tenant' | 'placement' | 'action' | 'subject' | 'before', string>> = {
  tenant: 'tenant = {tenant:String}',
  placement: 'placement = {placement:String}',
  action: 'action = {action:String}',
  subject: 'subject = {subject:String}',
  before: 'decided < fromUnixTimestamp64Milli({before:Int64})',
};

async function list(warehouse: Warehouse, filter: DecisionFilter): Promise<DecisionList> {
  const parameters: Record<string, unknown> = { limit: filter.limit };
  const where: string[] = [];
  for (const [name, condition] of Object.entries(conditions)) {
    const value = filter[name as keyof typeof conditions];
    if (value === undefined || value === null) continue;
    parameters[name] = value;
    where.push(condition);
  }
  // With ties: a batch's decisions share one millisecond, and the next page begins before it.
  const rows = await warehouse.rows<ListRow>(
    `SELECT id, toUnixTimestamp64Milli(decided) AS at, tenant, subject, placement, action, mode, rung,
       accept_probability AS acceptProbability, candidates, simulated
     FROM decisions ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}
     ORDER BY decided DESC LIMIT {limit:UInt32} WITH TIES`,
    parameters,
  );
  const outcomes = await lastOutcomes(warehouse, rows);
  const decisions = rows.map((row) => ({
    ...row,
    at: Number(row.at),
    outcome: outcomes.get(`${row.tenant}/${row.id}`) ?? null,
  }));
  const last = decisions.at(-1);
  return { decisions, next: last === undefined || decisions.length < filter.limit ? null : last.at };
}

/** The newest outcome of each of these decisions, by `tenant/decision`. */
async function lastOutcomes(warehouse: Warehouse, rows: readonly ListRow[]): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map();
  const found = await warehouse.rows<{ tenant: string; decision: string; outcome: string }>(
    `SELECT tenant, decision, argMax(outcome, (received, position)) AS outcome FROM outcomes
     WHERE decision IN {ids:Array(String)} GROUP BY tenant, decision`,
    { ids: rows.map(({ id }) => id) },
  );
  return new Map(found.map(({ tenant, decision, outcome }) => [`${tenant}/${decision}`, outcome]));
}

async function one(warehouse: Warehouse, tenant: string | null, id: string): Promise<DecisionDetail> {
  const [found] = await warehouse.rows<{ tenant: string; record: string }>(
    `SELECT tenant, record FROM decisions WHERE id = {id:String} ${tenant === null ? '' : 'AND tenant = {tenant:String}'} LIMIT 1`,
    { id, ...(tenant === null ? {} : { tenant }) },
  );
  if (found === undefined) {
    throw new PresageError(
      'unknown_decision',
      `There is no decision "${id.slice(0, 64)}"; one just made can be read a second or two later.`,
    );
  }
  const of = { id, tenant: found.tenant };
  // What is said of a decision by another tenant's events is not about it.
  const [exposures, outcomes] = await Promise.all([
    warehouse.rows<{ at: string | number }>(
      `SELECT toUnixTimestamp64Milli(time) AS at FROM exposures
       WHERE decision = {id:String} AND tenant = {tenant:String} ORDER BY at`,
      of,
    ),
    warehouse.rows<{ at: string | number; outcome: string; value: number | null }>(
      `SELECT toUnixTimestamp64Milli(time) AS at, outcome, value FROM outcomes
       WHERE decision = {id:String} AND tenant = {tenant:String} ORDER BY at, position`,
      of,
    ),
  ]);
  return {
    decision: JSON.parse(found.record) as DecisionRecord,
    exposures: exposures.map(({ at }) => ({ at: Number(at) })),
    outcomes: outcomes.map(({ at, outcome, value }) => ({ at: Number(at), outcome, value })),
  };
}
