import type { CompiledFeature } from '../../../workspace/index.ts';
import { type Kind, kindOf } from '../kinds/index.ts';
import type { FeatureConfig } from '../plan.ts';
import { columnsOf, makeColumns } from './columns.ts';
import type { Bound, SqlParts } from './port.ts';
import { readable } from './properties.ts';
import { type SessionStat, sessionsSql } from './sessions.ts';

export interface FeatureQueryParts {
  /**
   * A query that gives the points: `point` (any type that can be grouped by), `tenant`, `subject`, `partition`,
   * `position` (Int64, -1: before all events) and `at` (Int64, Unix milliseconds).
   */
  readonly points: string;
  /**
   * A query that gives what those subjects did: `tenant`, `subject`, `partition`, `position` (Int64), `time` (Int64),
   * `type`, `id`, `session` ('' = none), `properties` (JSON). `storedEvents` reads them from ClickHouse's tables.
   */
  readonly events: string;
  /** The SQL of a condition over `json`; see `conditionSql` for what there is. */
  readonly condition: (feature: CompiledFeature) => string | null;
  /** Computes, in place of values, whether each feature's documented limits are exceeded (`KindSql.beyond`). */
  readonly asks?: 'values' | 'beyond';
}

export interface FeatureQuery {
  readonly sql: string;
  /** The columns of the result after `point`: `f0`, `f1`... */
  readonly columns: readonly {
    readonly feature: CompiledFeature;
    readonly column: string;
  }[];
}

/** One query that computes features at points of the log from events alone: the batch side of `FeatureSet.read`. */
export function featureQuery(config: FeatureConfig, parts: FeatureQueryParts): FeatureQuery {
  const columns = makeColumns('c');
  const before = makeColumns('b');
  const stats: SessionStat[] = [];
  // Those that are computed from others are so from the values of this query too (features/derived.ts).
  const stateful = config.features.filter(({ derived }) => derived === null);
  const selected = stateful.map((feature, index) => {
    const kind = kindFor(feature);
    const { matches, value, key } = columnsOf(columns, feature, kind.reads, parts.condition(feature));
    const { bucketMs, buckets } = feature;
    const bucket = bucketMs === 0 ? '0' : bucketOf('time', bucketMs);
    const own = [...(feature.types ?? [])].some((type) => type.startsWith('$'))
      ? before.of(`maxIf(time, ${matches})`)
      : 'newest';
    const sqlParts: SqlParts = {
      matches,
      value,
      key,
      bucket,
      inWindow:
        bucketMs === 0
          ? matches
          : `(${matches} AND ${bucket} <= ${bucketOf('at', bucketMs)} AND ${bucket} > ${bucketOf(`greatest(at, newest, ${own})`, bucketMs)} - ${buckets})`,
      isFirst: 'isFirst',
      before: (aggregate) => before.of(aggregate),
      steps: feature.steps.map((step) => {
        const one = { ...feature, ...step };
        return columnsOf(columns, one, kind.reads, parts.condition(one)).matches;
      }),
      session: (measure) => {
        const stat = statOf(stats, { matches, measure: measure === 'runs' ? 'count' : measure });
        return `any(${measure === 'runs' ? 'runs' : stat})`;
      },
    };
    const beyond = kind.sql.beyond?.(sqlParts) ?? 'false';
    const expression = parts.asks === 'beyond' ? beyond : kind.sql.value(sqlParts);
    return { feature, column: `f${index}`, expression };
  });
  const stored = columns.all();
  const carried = stored.map(({ name }) => name);
  const sql = `WITH
points AS (${parts.points}),
documents AS (SELECT * EXCEPT (properties), type != '' AND NOT startsWith(type, '$') AS isOrdinary, ${readable('properties')} AS json
  FROM (
    ${parts.events}
    UNION ALL
    SELECT DISTINCT tenant, subject, toUInt32(0) AS partition, toInt64(-1) AS position, toInt64(0) AS time, '' AS type, '' AS id, '' AS session, '{}' AS properties FROM points
  )),
seen AS (SELECT tenant, subject, partition, position, time, type, id, session, isOrdinary,
  isOrdinary AND time + ${config.deduplicationMs} < maxIf(time, isOrdinary) OVER (PARTITION BY tenant, subject ORDER BY position) AS isLaterThanWindow,
  row_number() OVER (PARTITION BY tenant, subject, time, id ORDER BY position) = 1 AS isFirst${stored.map(({ name, expression }) => `,\n  ${expression} AS ${name}`).join('')}
  FROM documents),
pairs AS (SELECT p.point AS point, p.at AS at, e.position AS position, e.time AS time, e.type AS type, e.id AS id, e.session AS session,
  e.isOrdinary AS isOrdinary, e.isFirst AS isFirst, e.isLaterThanWindow AS isLaterThanWindow${carried.map((name) => `, e.${name} AS ${name}`).join('')}
  FROM seen AS e INNER JOIN points AS p ON e.tenant = p.tenant AND e.subject = p.subject
  WHERE e.position <= p.position OR e.position = -1),
firsts AS (SELECT point, maxIf(time, isOrdinary) AS newest${before
    .all()
    .map(({ name, expression }) => `, ${expression} AS ${name}`)
    .join('')}
  FROM pairs GROUP BY point)${stats.length === 0 ? '' : `,\nsessions AS (${sessionsSql(stats, { gapMs: config.sessionGapMs, windowMs: config.deduplicationMs })})`}
SELECT point${selected.map(({ expression, column }) => `,\n  ${expression} AS ${column}`).join('')}
FROM pairs INNER JOIN firsts ON pairs.point = firsts.point${stats.length === 0 ? '' : ' LEFT JOIN sessions ON pairs.point = sessions.point'}
GROUP BY pairs.point AS point`;
  return { sql, columns: selected.map(({ feature, column }) => ({ feature, column })) };
}

/** How far a served value of this feature may be from the computed one; null: not at all. */
export const boundOf = (feature: CompiledFeature): Bound | null =>
  feature.derived === null ? kindFor(feature).sql.bound : null;

/** A kind's SQL depends on its definition alone. */
const kindFor = (feature: CompiledFeature): Kind<unknown> =>
  kindOf(feature, 0, { gapMs: 0, windowMs: 0, adds: [] });

const bucketOf = (time: string, bucketMs: number): string => `intDiv(${time}, ${bucketMs})`;

function statOf(stats: SessionStat[], wanted: SessionStat): string {
  const known = stats.findIndex(
    ({ matches, measure }) => matches === wanted.matches && measure === wanted.measure,
  );
  return `stat${known >= 0 ? known : stats.push(wanted) - 1}`;
}
