import { PresageError } from '../../../../core/index.ts';
import {
  amountOfText,
  amountSql,
  conditionSql,
  quoted,
  readable,
  textSql,
} from '../../../../stream/features/sql/index.ts';
import type { CompiledMetric, CompiledOutcomes } from '../../../../workspace/index.ts';
import { ms, type OutcomeScope, ofTenant } from './scope.ts';

/**
 * SQL that gives what can count as success, one row for each event and metric: `metric`, `tenant`, `subject`,
 * `position`, `id`, `kind` (the event type), `ms` (Unix), `simulated`, `amount` (whole units of 10^-scale, 0 for
 * none), `named` (a decision's id, empty: none is named), `once` (what makes several events one; empty: the id does),
 * `content` (a hash). Throws PresageError `metric_not_in_sql`.
 */
export function successesSql(outcomes: CompiledOutcomes, scope: OutcomeScope): string {
  return [reported(outcomes, scope), ...outcomes.metrics.map((metric) => happened(metric, scope))].join(
    '\nUNION ALL\n',
  );
}

/** Conversions that were reported for a decision. Whether it is a simulated one the decision says. */
const reported = ({ scale }: CompiledOutcomes, scope: OutcomeScope): string => `SELECT
    'converted' AS metric, toString(tenant) AS tenant, subject, position, id, '$outcome' AS kind,
    ${ms('time')} AS ms, simulated, ifNull(${amountOfText('toString(value)', 'value', scale)}, 0) AS amount,
    decision AS named, '' AS once, cityHash64(toString(value)) AS content
FROM outcomes
WHERE ${ofTenant(scope)} AND outcome = 'converted' AND ${ms('received')} <= {at:Int64}
    AND ${ms('time')} >= {events_from:Int64}`;

const happened = (metric: CompiledMetric, scope: OutcomeScope): string => `SELECT
    ${quoted(metric.name)} AS metric, tenant, subject, position, id, kind, ms, simulated,
    ${metric.value === null ? 'toInt64(0)' : `ifNull(${amountSql(metric.value, metric.scale)}, 0)`} AS amount,
    ${metric.decision === null ? "''" : textOf(metric.decision)} AS named,
    ${metric.oncePer === null ? "''" : textOf(metric.oncePer)} AS once,
    cityHash64(properties) AS content
FROM (
    SELECT toString(tenant) AS tenant, subject, position, id, toString(type) AS kind, ${ms('time')} AS ms,
        simulated, properties, ${readable('properties')} AS json
    FROM events
    WHERE ${ofTenant(scope)} AND type IN (${metric.types.map(quoted).join(', ')})
        AND ${ms('received')} <= {at:Int64} AND ${ms('time')} >= {events_from:Int64}
)
WHERE ${metric.where === null ? 'true' : `ifNull(${conditionOf(metric, metric.where.text)}, false)`}`;

const textOf = (property: string): string => `ifNull(${textSql(property)}, '')`;

function conditionOf(metric: CompiledMetric, text: string): string {
  const sql = conditionSql(text);
  if (sql !== null) return sql;
  throw new PresageError(
    'metric_not_in_sql',
    `The condition of metric "${metric.name}", ${text}, can't be asked of ClickHouse: compare properties with values, and combine with &&, || and !.`,
  );
}
