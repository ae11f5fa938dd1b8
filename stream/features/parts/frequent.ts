/** How often each value occurred. */
export type Counts = Map<string, number>;

/**
 * Counts a value in at most `keys` counters (Misra and Gries, Finding repeated elements, 1982; the same guarantee as
 * Space-Saving): when all are taken, every counter loses one instead. Of n events a count is then too low by at most
 * n / (keys + 1), and never too high.
 */
export function addOccurrence(counts: Counts, value: string, keys: number): void {
  const known = counts.get(value);
  if (known !== undefined) counts.set(value, known + 1);
  else if (counts.size < keys) counts.set(value, 1);
  else lower(counts, 1);
}

/** The counts of both, within `keys` counters and the same bound (Agarwal et al., Mergeable summaries, 2012). */
export function mergeCounts(a: Counts, b: Counts, keys: number): Counts {
  const whole = new Map(a);
  for (const [value, count] of b) whole.set(value, (whole.get(value) ?? 0) + count);
  if (whole.size > keys) lower(whole, [...whole.values()].sort((x, y) => y - x)[keys] ?? 0);
  return whole;
}

function lower(counts: Counts, by: number): void {
  for (const [value, count] of counts) {
    if (count > by) counts.set(value, count - by);
    else counts.delete(value);
  }
}
