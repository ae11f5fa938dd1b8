import { subjectEvents } from '../../sinks/clickhouse/index.ts';
import { inHalves } from './halve.ts';
import type { ParityOptions, Served } from './port.ts';
import { pointsOf } from './sample.ts';

/** Silences of one subject that are looked at: after which of them it was forgotten, the tables don't tell. */
const mostSilences = 4;

/**
 * By decision: positions from which on its subject may have begun anew, the latest first. A subject is forgotten after a
 * silence of `state.ttl`, once the others of its partition have come so far; so not after each.
 */
export async function silencesOf(
  { workspace, ask }: ParityOptions,
  decisions: readonly Served[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const silenceMs = workspace.stateTtlMs + workspace.timersDelayMs;
  if (!Number.isFinite(silenceMs)) return new Map();
  const parts = await inHalves(decisions, async (some) => {
    const rows = await ask<{ point: number; positions: number[] }>(`WITH points AS (${pointsOf(some)})
SELECT point, arraySlice(arrayReverseSort(groupUniqArray(toFloat64(position))), 1, ${mostSilences}) AS positions
FROM (
  SELECT p.point AS point, e.position AS position, e.time AS time,
    max(e.time) OVER (PARTITION BY p.point ORDER BY e.position, e.time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
  FROM (${subjectEvents('SELECT tenant, subject FROM points')}) AS e
  INNER JOIN points AS p ON e.tenant = p.tenant AND e.subject = p.subject
  WHERE e.position <= p.position)
WHERE newest > 0 AND time >= newest + ${silenceMs}
GROUP BY point`);
    return rows.map(
      ({ point, positions }) => [some[Number(point)]?.id ?? '', positions.map(Number)] as const,
    );
  });
  return new Map(parts.flat());
}

/** These decisions in lists of which each looks at a subject from one position on only. */
export function apart<T extends { readonly of: Served; readonly since: number }>(looks: readonly T[]): T[][] {
  const lists: { readonly since: Map<string, number>; readonly looks: T[] }[] = [];
  for (const look of looks) {
    const subject = JSON.stringify([look.of.tenant, look.of.subject]);
    let list = lists.find(({ since }) => (since.get(subject) ?? look.since) === look.since);
    if (list === undefined) {
      list = { since: new Map(), looks: [] };
      lists.push(list);
    }
    list.since.set(subject, look.since);
    list.looks.push(look);
  }
  return lists.map(({ looks }) => looks);
}
