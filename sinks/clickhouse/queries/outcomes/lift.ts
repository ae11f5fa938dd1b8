import type { OutcomeLift } from '../../../../schemas/index.ts';
import { quoted } from '../../../../stream/features/sql/index.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import type { Warehouse } from '../../port.ts';
import { attributionSql, personOf, windowOf } from './attribution.ts';
import { ms, type OutcomeScope, ofSimulated, ofTenant, scaleOf, scopeParameters } from './scope.ts';

interface ArmRow {
  readonly of_tenant: string;
  readonly is_simulated: boolean;
  readonly metric_name: string;
  readonly arm: string;
  readonly people: string | number;
  readonly mixed: string | number;
  readonly young: string | number;
  readonly winners: string | number;
  readonly total: number;
  readonly squares: number;
  readonly share: number;
}

/** Two-sided, 5%. */
const z95 = 1.96;
/** And with a power of 80%. */
const detectable = 2.8;
/** A sample ratio that is further off comes by chance once in a thousand times. */
const mostOff = 3.29;

/**
 * What deciding brings, by intention to treat: of all persons of a holdout's period for whom a decision was made that
 * would have been delivered, those who were held out against those who were not, shown or not. A person's successes are
 * those within the metric's window after its first such decision; persons whose window is open, and those who were seen
 * in both arms, are counted apart. Differences with Wald's and Welch's interval of 95%.
 */
export async function outcomeLift(
  warehouse: Pick<Warehouse, 'rows'>,
  outcomes: CompiledOutcomes,
  scope: OutcomeScope,
): Promise<OutcomeLift> {
  // Reported conversions need a receipt, which nobody in the holdout has: they can't be compared.
  const names = outcomes.metrics.map(({ name }) => name);
  if (names.length === 0) return { from: scope.from, to: scope.to, at: scope.at, metrics: [] };
  const rows = await warehouse.rows<ArmRow>(liftSql(outcomes, scope, names), scopeParameters(scope));
  const groups = new Map<string, ArmRow[]>();
  for (const row of rows) {
    const group = `${row.of_tenant}\n${row.is_simulated}\n${row.metric_name}`;
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return {
    from: scope.from,
    to: scope.to,
    at: scope.at,
    metrics: [...groups.values()].flatMap((arms) => {
      const [first] = arms;
      if (first === undefined) return [];
      const units = 10 ** scaleOf(outcomes, first.metric_name);
      return [
        {
          tenant: first.of_tenant,
          simulated: Boolean(first.is_simulated),
          metric: first.metric_name,
          mixed: arms.reduce((sum, { mixed }) => sum + Number(mixed), 0),
          young: arms.reduce((sum, { young }) => sum + Number(young), 0),
          ...compared(armOf(arms, 'offered', units), armOf(arms, 'held_out', units), Number(first.share)),
        },
      ];
    }),
  };
}

const liftSql = (outcomes: CompiledOutcomes, scope: OutcomeScope, names: readonly string[]): string =>
  `WITH ${attributionSql(outcomes, scope)},
decided AS (
    SELECT toString(tenant) AS tenant, subject, position, ${ms('time')} AS ms, simulated,
        JSONExtractString(record, 'holdout', 'arm') AS arm, JSONExtractString(record, 'holdout', 'period') AS period,
        JSONExtractBool(record, 'holdout', 'isMixed') AS mixed, JSONExtractFloat(record, 'holdout', 'share') AS share
    FROM decisions
    WHERE ${ofTenant(scope)} AND ${ofSimulated(scope)} AND isNotNull(action) AND mode IN ('act', 'holdout')
        AND ${ms('decided')} >= {from:Int64} AND ${ms('decided')} < {to:Int64} AND ${ms('decided')} <= {at:Int64}
        AND JSONHas(record, 'holdout')
),
units AS (
    SELECT tenant AS of_tenant, simulated AS is_simulated, period, person, min(ms) AS since, max(arm) AS own_arm,
        uniqExact(arm) > 1 OR max(mixed) AS is_mixed, avg(share) AS own_share
    FROM (${personOf('decided', 'ms, simulated, arm, period, mixed, share')})
    GROUP BY of_tenant, is_simulated, period, person
),
once AS (
    SELECT * FROM successes
    ORDER BY ms, id, content
    LIMIT 1 BY metric, tenant, if(once = '', person, ''), if(once = '', kind, ''), if(once = '', id, once), once = ''
),
won AS (
    SELECT unit.of_tenant AS of_tenant, unit.is_simulated AS is_simulated, unit.period AS period, unit.person AS person,
        once.metric AS metric, sum(once.amount) AS amount, count() AS events
    FROM units AS unit
    INNER JOIN once ON once.tenant = unit.of_tenant AND once.simulated = unit.is_simulated AND once.person = unit.person
    WHERE once.ms >= unit.since AND once.ms - unit.since <= ${windowOf(outcomes, 'once.metric')}
    GROUP BY of_tenant, is_simulated, period, person, metric
),
people AS (
    SELECT each.*, won.events AS events, won.amount AS amount,
        NOT each.is_mixed AND {at:Int64} - each.since >= ${windowOf(outcomes, 'each.name')} AS counts
    FROM (SELECT *, arrayJoin([${names.map(quoted).join(', ')}]) AS name FROM units) AS each
    LEFT JOIN won ON won.of_tenant = each.of_tenant AND won.is_simulated = each.is_simulated
        AND won.period = each.period AND won.person = each.person AND won.metric = each.name
)
SELECT of_tenant, is_simulated, name AS metric_name, own_arm AS arm, countIf(counts) AS people,
    countIf(is_mixed) AS mixed, countIf(NOT counts AND NOT is_mixed) AS young, countIf(counts AND people.events > 0) AS winners,
    sumIf(toFloat64(people.amount), counts) AS total, sumIf(pow(toFloat64(people.amount), 2), counts) AS squares,
    avg(own_share) AS share
FROM people
GROUP BY of_tenant, is_simulated, name, own_arm
ORDER BY of_tenant, is_simulated, name, own_arm
LIMIT 2000`;

interface Arm {
  readonly people: number;
  readonly successes: number;
  /** Sum of values and of their squares, in the tenant's currency. */
  readonly value: number;
  readonly squares: number;
}

function armOf(rows: readonly ArmRow[], arm: string, units: number): Arm {
  const row = rows.find((one) => one.arm === arm);
  return {
    people: Number(row?.people ?? 0),
    successes: Number(row?.winners ?? 0),
    value: Number(row?.total ?? 0) / units,
    squares: Number(row?.squares ?? 0) / units ** 2,
  };
}

type Comparison = Pick<
  OutcomeLift['metrics'][number],
  'offered' | 'heldOut' | 'success' | 'value' | 'sampleRatio'
>;

function compared(offered: Arm, heldOut: Arm, share: number): Comparison {
  const all = offered.people + heldOut.people;
  const spread = Math.sqrt(all * share * (1 - share));
  const z = spread === 0 ? 0 : (heldOut.people - all * share) / spread;
  return {
    offered: shown(offered),
    heldOut: shown(heldOut),
    success: difference(offered, heldOut, ({ people, successes }) => {
      const rate = successes / people;
      return [rate, (rate * (1 - rate)) / people];
    }),
    value: difference(offered, heldOut, ({ people, value, squares }) => {
      const mean = value / people;
      return [mean, people < 2 ? 0 : (squares - people * mean ** 2) / (people - 1) / people];
    }),
    sampleRatio: { share, z, isOff: Math.abs(z) > mostOff },
  };
}

const shown = ({ people, successes, value }: Arm) => ({ people, successes, value });

/** Of the means of two arms, from each arm's mean and its variance; null: an arm has nobody. */
function difference(
  offered: Arm,
  heldOut: Arm,
  meanOf: (arm: Arm) => readonly [mean: number, variance: number],
): Comparison['success'] {
  if (offered.people === 0 || heldOut.people === 0) return null;
  const [[a, va], [b, vb]] = [meanOf(offered), meanOf(heldOut)];
  const error = Math.sqrt(Math.max(0, va) + Math.max(0, vb));
  return {
    difference: a - b,
    low: a - b - z95 * error,
    high: a - b + z95 * error,
    detectable: detectable * error,
  };
}
