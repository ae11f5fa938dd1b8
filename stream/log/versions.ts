/**
 * One division of the log. Changing the number of partitions begins the next: a log of its own, whose positions go on
 * above all that the ones before it have had. So a subject's positions only ever rise, whichever partition it is in,
 * and nothing that remembers a position has to know of which version it is.
 */
export interface LogVersion {
  readonly version: number;
  readonly partitions: number;
  /** Its first position, in every partition. */
  readonly base: number;
}

/**
 * Where the version after this one begins: above all positions, and above the places that `placeOf` gives to them.
 */
export function nextBase({ base, partitions }: LogVersion, ends: readonly number[]): number {
  return base + Math.max(0, ...ends.map((end) => end - base)) * partitions;
}

/**
 * Puts all partitions of a version that has ended into one order: the place of a position among them. Places of a
 * version are below the base of the next, so they and positions of later versions are one line.
 */
export const placeOf = ({ base, partitions }: LogVersion, partition: number, position: number): number =>
  base + (position - base) * partitions + partition;

/** The version that a position is of; `all` in the order of their bases. */
export function versionAt(all: readonly LogVersion[], position: number): LogVersion {
  const found = all.findLast(({ base }) => base <= position) ?? all[0];
  if (found === undefined) throw new Error('There is no version of the log.');
  return found;
}
