import { type Units, unitsOf } from './intervals/units.ts';
import type { DecisionLog } from './log/decision-log.ts';

/** What is independent of each other in a log: subjects, where rows name them, else slates, else rows. */
export function clustersOf(log: DecisionLog, slates: readonly Int32Array[] | null): Units {
  if (slates === null) return unitsOf(log, log.subject, null);
  const key = new Int32Array(log.rows);
  const decisions = new Float64Array(log.rows);
  slates.forEach((rows, slate) => {
    const first = rows[0] as number;
    decisions[first] = 1;
    const subject = log.subject === null ? -1 : (log.subject[first] as number);
    // Even numbers are subjects, odd ones slates without one.
    for (const row of rows) key[row] = subject < 0 ? 2 * slate + 1 : 2 * subject;
  });
  return unitsOf(log, key, decisions);
}
