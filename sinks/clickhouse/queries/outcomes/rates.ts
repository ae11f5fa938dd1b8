import type { OutcomeRates } from '../../../../schemas/index.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import type { Warehouse } from '../../port.ts';
import { amountOf } from './amount.ts';
import { labelsSql } from './labels.ts';
import { metricNames, type OutcomeScope, scaleOf, scopeParameters } from './scope.ts';

export const ratesBy = ['action', 'placement', 'policy', 'rung', 'model'] as const;
export type RatesBy = (typeof ratesBy)[number];

/** Groups that an answer has at most: those with most decisions. */
export const mostGroups = 200;

type Counts = Record<
  | 'decisions'
  | 'offered'
  | 'shown'
  | 'accepted'
  | 'dismissed'
  | 'expired'
  | 'ignored'
  | 'waiting'
  | 'mature'
  | 'positives'
  | 'positives_all'
  | 'events',
  string | number
>;
interface RatesRow extends Counts {
  readonly tenant: string;
  readonly key: string;
  readonly is_simulated: boolean;
  readonly name: string;
  readonly total: string | number;
}

/**
 * What came of decisions, by one of their columns. Each decision counts once for each type of outcome; rates are of
 * those whose window has passed. Simulated ones are groups of their own.
 */
export async function outcomeRates(
  warehouse: Pick<Warehouse, 'rows'>,
  outcomes: CompiledOutcomes,
  scope: OutcomeScope,
  by: RatesBy,
): Promise<OutcomeRates> {
  const names = metricNames(outcomes);
  const rows = await warehouse.rows<RatesRow>(
    `WITH ${labelsSql(outcomes, scope, {
      metrics: names,
      columns: [`ifNull(toString(${by}), '') AS key`, "isNotNull(action) AND mode = 'act' AS is_offered"],
    })}
SELECT of_tenant AS tenant, key, of_simulated AS is_simulated, metric_name AS name, count() AS decisions,
    countIf(labels.is_offered) AS offered, countIf(labels.is_shown) AS shown, countIf(labels.accepted) AS accepted,
    countIf(labels.dismissed) AS dismissed, countIf(labels.expired) AS expired, countIf(labels.response = 'ignored') AS ignored,
    countIf(labels.response = 'waiting') AS waiting, countIf(labels.mature) AS mature, countIf(labels.mature AND labels.label = 1) AS positives,
    countIf(labels.label = 1) AS positives_all, sum(labels.events) AS events, toString(sum(labels.amount)) AS total
FROM labels
GROUP BY of_tenant, key, of_simulated, metric_name
ORDER BY decisions DESC, tenant, key, is_simulated, indexOf({names:Array(String)}, name)
LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), names, limit: (mostGroups + 1) * names.length },
  );
  const groups = new Map<string, RatesRow[]>();
  for (const row of rows) {
    const group = `${row.tenant}\n${row.key}\n${row.is_simulated}`;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [row]);
    else known.push(row);
  }
  return {
    by,
    from: scope.from,
    to: scope.to,
    at: scope.at,
    groups: [...groups.values()].slice(0, mostGroups).map((group) => groupOf(group, outcomes)),
    truncated: groups.size > mostGroups,
  };
}

function groupOf(rows: readonly RatesRow[], outcomes: CompiledOutcomes): OutcomeRates['groups'][number] {
  const [first] = rows;
  const count = (name: keyof Counts): number => Number(first?.[name] ?? 0);
  return {
    tenant: first?.tenant ?? '',
    key: first?.key ?? '',
    simulated: Boolean(first?.is_simulated),
    decisions: count('decisions'),
    offered: count('offered'),
    shown: count('shown'),
    accepted: count('accepted'),
    dismissed: count('dismissed'),
    expired: count('expired'),
    ignored: count('ignored'),
    waiting: count('waiting'),
    metrics: rows.map((row) => ({
      metric: row.name,
      mature: Number(row.mature),
      positives: Number(row.positives),
      rate: Number(row.mature) === 0 ? null : Number(row.positives) / Number(row.mature),
      provisional: Number(row.positives_all) - Number(row.positives),
      successes: Number(row.events),
      value: amountOf(row.total, scaleOf(outcomes, row.name)),
    })),
  };
}
