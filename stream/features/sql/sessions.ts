/** A number of a session: of which events (a column of `pairs`), and what of them. */
export interface SessionStat {
  readonly matches: string;
  readonly measure: 'count' | 'first';
}

export interface SessionLimits {
  readonly gapMs: number;
  readonly windowMs: number;
}

const none = '9223372036854775807';

/**
 * One row a point with the session at its time, by the rules in parts/sessions.ts: columns `point`, `runs` and
 * `stat0`, `stat1`... Reads `pairs` and `firsts` (query.ts). Runs are tuples (last up to `at`, first, name, last, stats...).
 */
export function sessionsSql(stats: readonly SessionStat[], { gapMs, windowMs }: SessionLimits): string {
  const gap = `if(session = '', ${gapMs}, ${windowMs})`;
  const columns = [...new Set(stats.map(({ matches }) => matches))];
  const kept = columns.map((column) => `, ${column}`).join('');
  const over =
    'OVER (PARTITION BY point, session ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)';
  const ofRun = stats.map(({ matches, measure }, index) =>
    measure === 'count'
      ? `, toInt64(countIf(${matches})) AS run${index}`
      : `, if(countIf(${matches}) = 0, ${none}, minIf(time, ${matches})) AS run${index}`,
  );
  const near = (a: string, b: string): string =>
    `(${a}.2 <= ${b}.4 + ${gapMs} AND ${a}.4 >= ${b}.2 - ${gapMs})`;
  const run = `(least(last, at), first, session, last${stats.map((_, index) => `, run${index}`).join('')})`;
  const values = stats.map(({ measure }, index) => {
    const place = index + 5;
    const parts = `arrayMap(v -> v.${place}, arrayFilter(v -> ${near('v', 'chosen')}, visits))`;
    const whole =
      measure === 'count'
        ? `chosen.${place} + arraySum(${parts})`
        : `arrayMin(arrayPushBack(${parts}, chosen.${place}))`;
    const value = `multiIf(isNamed, ${whole}, isVisit, visit.${place}, NULL)`;
    return measure === 'count' ? `${value} AS stat${index}` : `nullIf(${value}, ${none}) AS stat${index}`;
  });
  return `
  SELECT point, runs, ${values.join(', ')} FROM (
    SELECT point, runs, at, visits, visits[1] AS visit,
      length(visits) > 0 AND (length(named) = 0 OR named[1].4 < visit.1) AS isVisitNewer,
      if(isVisitNewer, arrayFilter(n -> ${near('n', 'visit')}, named), named) AS candidates,
      length(candidates) > 0 AS isNamed, candidates[1] AS chosen,
      length(visits) > 0 AND at - visit.4 <= ${gapMs} AS isVisit
    FROM (
      SELECT point, at, greatest(countIf(session = ''), countIf(session != '')) AS runs,
        arrayReverseSort(groupArrayIf(${run}, session != '' AND first <= at)) AS named,
        arrayReverseSort(groupArrayIf(${run}, session = '' AND first <= at)) AS visits
      FROM (
        SELECT point, session, run, any(at) AS at, min(time) AS first, max(time) AS last${ofRun.join('')}
        FROM (
          SELECT point, at, session, time${kept}, sum(starts) ${over} AS run
          FROM (
            SELECT point, at, session, time${kept}, time - lagInFrame(time, 1, time) ${over} > ${gap} AS starts
            FROM pairs WHERE isOrdinary
          )
        )
        GROUP BY point, session, run
      ) AS r INNER JOIN firsts ON r.point = firsts.point
      WHERE last >= newest - ${windowMs} - ${gap}
      GROUP BY point, at
    )
  )`;
}
