import { PresageError } from '../../core/index.ts';
import type { DecisionDetail, DecisionList } from '../../schemas/index.ts';
import {
  type DecisionFilter,
  decisionDetail,
  listDecisions,
  type Warehouse,
} from '../../sinks/clickhouse/index.ts';

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
    list: async (filter) => listDecisions(need(), filter),
    one: async (tenant, id) => {
      const detail = await decisionDetail(need(), tenant, id);
      if (detail !== null) return detail;
      throw new PresageError(
        'unknown_decision',
        `There is no decision "${id.slice(0, 64)}"; one just made can be read a second or two later.`,
      );
    },
  };
}
