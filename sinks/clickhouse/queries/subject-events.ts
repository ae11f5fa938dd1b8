/**
 * SQL that gives what subjects did, the engine's own events (`$...`) included: `tenant`, `subject`, `partition`,
 * `position`, `time` (Unix ms), `type`, `id`, `session`, `properties`. `subjects` is a query of `tenant` and `subject`.
 * Events that a subject took over from an anonymous id stand where it took them over (the view `subject_events`).
 * Of exposures and outcomes the tables hold the first of each kind for a decision.
 */
export function subjectEvents(subjects: string): string {
  const common = `tenant, subject, partition, toInt64(position) AS position, toUnixTimestamp64Milli(time) AS time`;
  const of = `WHERE (tenant, subject) IN (SELECT tenant, subject FROM (${subjects}))`;
  const what = `'{"decision":' || toJSONString(decision) || ',"action":' || toJSONString(toString(action)) || ',"placement":' || toJSONString(toString(placement))`;
  return `SELECT tenant, of_subject AS subject, of_partition AS partition, toInt64(of_position) AS position, toUnixTimestamp64Milli(time) AS time, toString(type) AS type, id, session, properties
    FROM subject_events WHERE (tenant, of_subject) IN (SELECT tenant, subject FROM (${subjects}))
    UNION ALL
    SELECT ${common}, toString(type) AS type, id, session, properties FROM control_events ${of} AND startsWith(type, '$')
    UNION ALL
    SELECT ${common}, '$exposure' AS type, id, session, ${what} || '}' AS properties FROM exposures ${of}
    UNION ALL
    SELECT ${common}, '$outcome' AS type, id, session, ${what} || ',"outcome":' || toJSONString(toString(outcome)) || if(isNull(value), '', ',"value":' || toJSONString(value)) || '}' AS properties FROM outcomes ${of}`;
}

/** SQL that gives the highest position of each partition that has reached the tables. */
export const reachedPositions = `SELECT partition, max(position) AS position FROM (${[
  'events',
  'duplicates',
  'dead_letters',
  'control_events',
  'exposures',
  'outcomes',
]
  .map((table) => `SELECT partition, position FROM ${table}`)
  .join(' UNION ALL ')}) GROUP BY partition`;
