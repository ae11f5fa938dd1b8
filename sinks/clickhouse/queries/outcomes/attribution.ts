import { quoted } from '../../../../stream/features/sql/index.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import { ms, type OutcomeScope, ofSimulated, ofTenant } from './scope.ts';
import { successesSql } from './successes.ts';

/**
 * Definitions (`WITH ...`) of what was shown and of what each success is due to. Nothing of it is stored: it is made
 * from events, exposures and identity each time, so that whatever arrives late corrects what is past by itself.
 *
 * - `shown`: acknowledged exposures of decisions that are recorded, with the person that they were shown to.
 * - `credited`: `tenant`, `decision`, `metric`, `first` (Unix ms), `events`, `amount`.
 *
 * A person is whom an anonymous id became, wherever that came after; the place of the `identify` in the log tells what
 * came along (the view `subject_events`).
 */
export function attributionSql(outcomes: CompiledOutcomes, scope: OutcomeScope): string {
  return `moves AS (
    SELECT toString(tenant) AS tenant, concat('a:', anonymous_id) AS subject, concat('u:', user_id) AS person, source_position
    FROM identity_transfer_rows FINAL
    WHERE ${ofTenant(scope)} AND ${ms('received')} <= {at:Int64}
),
exposed AS (
    SELECT toString(tenant) AS tenant, decision, subject, position, ${ms('time')} AS ms
    FROM exposures
    WHERE ${ofTenant(scope)} AND ${ms('received')} <= {at:Int64} AND ${ms('time')} >= {exposed_from:Int64}
),
shown AS (
    SELECT whose.tenant AS tenant, whose.decision AS decision, whose.person AS person, whose.ms AS ms, made.simulated AS simulated
    FROM (${personOf('exposed', 'decision, ms')}) AS whose
    INNER JOIN (
        SELECT id, toString(tenant) AS tenant, simulated FROM decisions
        WHERE ${ofTenant(scope)} AND ${ofSimulated(scope)} AND id IN (SELECT decision FROM exposed)
    ) AS made ON made.tenant = whose.tenant AND made.id = whose.decision
),
latest AS (
    SELECT tenant, simulated, person, ms, max(decision) AS decision FROM shown GROUP BY tenant, simulated, person, ms
),
happened AS (${successesSql(outcomes, scope)}),
successes AS (${personOf('happened', 'metric, id, kind, ms, simulated, amount, named, once, content')}),
due AS (
    SELECT success.metric AS metric, success.tenant AS tenant, success.id AS id, success.ms AS ms,
        success.amount AS amount, success.content AS content, success.once AS once, success.kind AS kind,
        success.person AS person, success.simulated AS simulated,
        named.decision != '' AND success.ms - named.ms <= ${windowOf(outcomes, 'success.metric')} AS is_named,
        multiIf(
            is_named, named.decision,
            success.named = '' AND last.decision != '' AND success.ms - last.ms <= ${windowOf(outcomes, 'success.metric')}, last.decision,
            ''
        ) AS decision
    FROM successes AS success
    LEFT JOIN shown AS named ON named.tenant = success.tenant AND named.decision = success.named
    ASOF LEFT JOIN latest AS last
        ON last.tenant = success.tenant AND last.simulated = success.simulated AND last.person = success.person
        AND success.ms >= last.ms
),
credited AS (
    SELECT tenant, decision, metric, min(ms) AS first, count() AS events, sum(toInt128(amount)) AS amount
    FROM (
        SELECT * FROM due
        ORDER BY is_named DESC, ms, id, decision = '', decision, content
        LIMIT 1 BY metric, tenant, if(once = '', person, ''), if(once = '', kind, ''), if(once = '', id, once), once = ''
    )
    WHERE decision != ''
    GROUP BY tenant, decision, metric
)`;
}

/** The rows of a definition with `person`: the user, where the anonymous id became one after this position. */
export const personOf = (rows: string, columns: string): string => `
    SELECT own.tenant AS tenant, ${columns
      .split(', ')
      .map((column) => `own.${column} AS ${column}`)
      .join(', ')}, if(move.person = '', own.subject, move.person) AS person
    FROM ${rows} AS own
    ASOF LEFT JOIN moves AS move
        ON move.tenant = own.tenant AND move.subject = own.subject AND own.position < move.source_position`;

/** Milliseconds for which a decision can be the cause, by metric. */
export function windowOf({ metrics, windowMs }: CompiledOutcomes, metric: string): string {
  const names = metrics.map(({ name }) => quoted(name)).join(', ');
  const windows = metrics.map((one) => `toInt64(${one.windowMs})`).join(', ');
  return metrics.length === 0
    ? `${windowMs}`
    : `transform(${metric}, [${names}], [${windows}], toInt64(${windowMs}))`;
}
