import { quoted } from '../../../../stream/features/sql/index.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import { attributionSql } from './attribution.ts';
import { ms, type OutcomeScope, ofSimulated, ofTenant } from './scope.ts';

/** What came of an offer that was shown: its answer, `ignored` after the time-out, or nothing yet. */
export const responses = ['accepted', 'dismissed', 'expired', 'ignored', 'waiting'] as const;
export type ResponseName = (typeof responses)[number];

/**
 * Definitions (`WITH ...`) up to `labels`: one row for each decision of the scope and each metric in `metrics`.
 * `columns`: of `decisions`, that come along.
 *
 * - `shown_at` (Unix ms; NULL: never shown, and then it has no label), `response` (NULL likewise)
 * - `label`: 1; 0 when the time-out has passed, or (acceptance) at another answer; NULL: not known yet, or never shown
 * - `mature`: the window is closed: what is still to come would be a surprise
 * - `first` (Unix ms of the first success, or NULL), `events`, `amount` (whole units of 10^-scale)
 */
export function labelsSql(
  outcomes: CompiledOutcomes,
  scope: OutcomeScope,
  { metrics, columns, where = 'true' }: LabelParts,
): string {
  const { timeoutMs } = outcomes;
  return `${attributionSql(outcomes, scope)},
cohort AS (
    SELECT id, toString(tenant) AS of_tenant, simulated AS of_simulated, ${columns.join(', ')}
    FROM decisions
    WHERE ${ofTenant(scope)} AND ${ofSimulated(scope)} AND ${ms('decided')} >= {from:Int64}
        AND ${ms('decided')} < {to:Int64} AND ${ms('decided')} <= {at:Int64} AND ${where}
),
answers AS (
    SELECT toString(tenant) AS tenant, decision,
        minIf(${ms('time')}, outcome = 'accepted') AS accepted_at,
        countIf(outcome = 'accepted') > 0 AS is_accepted,
        countIf(outcome = 'dismissed') > 0 AS is_dismissed,
        countIf(outcome = 'expired') > 0 AS is_expired,
        countIf(outcome = 'ignored') > 0 AS is_ignored
    FROM outcomes
    WHERE ${ofTenant(scope)} AND ${ms('received')} <= {at:Int64} AND decision IN (SELECT id FROM cohort)
    GROUP BY tenant, decision
),
labels AS (
    SELECT decided.* EXCEPT (rule), toString(decided.rule.1) AS metric_name,
        if(shown.decision = '', NULL, shown.ms) AS shown_at,
        isNotNull(shown_at) AS is_shown,
        is_shown AND answers.is_accepted AS accepted,
        is_shown AND answers.is_dismissed AS dismissed,
        is_shown AND answers.is_expired AS expired,
        is_shown AND (answers.is_ignored OR {at:Int64} >= shown.ms + ${timeoutMs}) AS overdue,
        multiIf(
            NOT is_shown, NULL,
            accepted, 'accepted',
            dismissed, 'dismissed',
            expired, 'expired',
            overdue, 'ignored',
            'waiting'
        ) AS response,
        multiIf(
            NOT is_shown, NULL,
            metric_name = 'accepted', multiIf(accepted, 1, response = 'waiting', NULL, 0),
            credited.decision != '', 1,
            {at:Int64} >= shown.ms + decided.rule.3, 0,
            NULL
        ) AS label,
        is_shown AND {at:Int64} >= shown.ms + decided.rule.2 AS mature,
        multiIf(
            metric_name = 'accepted', if(accepted, answers.accepted_at, NULL),
            credited.decision = '', NULL,
            credited.first
        ) AS first,
        if(metric_name = 'accepted', toUInt64(accepted), credited.events) AS events,
        credited.amount AS amount
    FROM (SELECT *, arrayJoin(${tableOf(outcomes, metrics)}) AS rule FROM cohort) AS decided
    LEFT JOIN shown ON shown.tenant = decided.of_tenant AND shown.decision = decided.id
    LEFT JOIN answers ON answers.tenant = decided.of_tenant AND answers.decision = decided.id
    LEFT JOIN credited ON credited.tenant = decided.of_tenant AND credited.decision = decided.id
        AND credited.metric = toString(decided.rule.1)
)`;
}

export interface LabelParts {
  readonly metrics: readonly string[];
  readonly columns: readonly string[];
  /** Of the decisions. */
  readonly where?: string;
}

/** `[(name, window in ms, time-out in ms), ...]` */
function tableOf(outcomes: CompiledOutcomes, names: readonly string[]): string {
  const { timeoutMs, windowMs, metrics } = outcomes;
  const times: ReadonlyMap<string, readonly [number, number]> = new Map([
    ['accepted', [timeoutMs, timeoutMs]],
    ['converted', [windowMs, windowMs]],
    ...metrics.map((one) => [one.name, [one.windowMs, one.timeoutMs]] as const),
  ]);
  const rows = names.map((name) => {
    const [window, timeout] = times.get(name) ?? [windowMs, windowMs];
    return `(${quoted(name)}, toInt64(${window}), toInt64(${timeout}))`;
  });
  return `[${rows.join(', ')}]`;
}
