import { mostRuns } from '../parts/sessions.ts';

/**
 * Events of a session that clients name, without a pause longer than the gap: a session that speaks again after such a
 * pause ends again. A function of the set of events, whatever their order, for the newest `mostRuns` stretches.
 */
export interface Stretch {
  /** Of the session. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** The stretches with another, or with an event, made one with those it touches; sorted by (last, name). */
export function withStretch(stretches: readonly Stretch[], added: Stretch, gapMs: number): Stretch[] {
  const newest = stretches.at(-1);
  // Nearly every event goes on with the newest.
  if (newest?.name === added.name && isNear(newest, added, gapMs) && stretches.length === 1)
    return [whole(newest, added)];
  let joined = added;
  const others = stretches.filter((one) => {
    if (one.name !== added.name || !isNear(one, added, gapMs)) return true;
    joined = whole(joined, one);
    return false;
  });
  others.push(joined);
  return others.sort(byLast).slice(-mostRuns);
}

export function mergedStretches(
  into: readonly Stretch[],
  from: readonly Stretch[],
  gapMs: number,
): Stretch[] {
  let merged = [...into];
  for (const stretch of from) merged = withStretch(merged, stretch, gapMs);
  return merged;
}

const isNear = (a: Stretch, b: Stretch, gapMs: number): boolean =>
  a.first <= b.last + gapMs && b.first <= a.last + gapMs;

const whole = (a: Stretch, b: Stretch): Stretch => ({
  name: a.name,
  first: Math.min(a.first, b.first),
  last: Math.max(a.last, b.last),
});

const byLast = (a: Stretch, b: Stretch): number =>
  a.last - b.last || a.first - b.first || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
