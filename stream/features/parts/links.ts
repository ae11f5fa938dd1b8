import {
  type Reader,
  readCount,
  readSigned,
  readText,
  readVarint,
  unreadable,
  type Writer,
  writeByte,
  writeSigned,
  writeText,
  writeVarint,
} from './bytes.ts';

import { keptText } from './text.ts';

/** What a known user's state knows of the anonymous ids that became it, or may be about to. */
export interface Links {
  /**
   * The highest position applied of what each partition has sent here. A relay sends what a partition has for it in
   * order, and after a crash again from somewhere before: so what is at or below it has been applied.
   */
  readonly applied: Map<number, number>;
  /** Anonymous ids seen beside this user, oldest first. */
  readonly seen: Sighting[];
}

export interface Sighting {
  readonly anonymousId: string;
  /** Event time at which it was first seen. */
  readonly since: number;
  /** Its state has arrived. */
  hasArrived: boolean;
}

/**
 * Stands among the sightings for the user's own id, where it was seen before any anonymous one. What was seen first is
 * never forgotten: a holdout sticks to it.
 */
export const ownId = '';

/** More ids than this beside one user: the second of those seen is forgotten. */
export const mostSightings = 8;

export const makeLinks = (): Links => ({ applied: new Map(), seen: [] });

/** The anonymous id was seen beside this user, or (`hasArrived`) its state came. */
export function sight({ seen }: Links, id: string, time: number, hasArrived: boolean): void {
  const anonymousId = keptText(id);
  const known = seen.find((sighting) => sighting.anonymousId === anonymousId);
  if (known !== undefined) {
    known.hasArrived ||= hasArrived;
    return;
  }
  seen.push({ anonymousId, since: time, hasArrived });
  if (seen.length > mostSightings) seen.splice(1, 1);
}

/** Pairs of partition and position + 1, by partition; sightings with times as distances from `base`. */
export function writeLinks(writer: Writer, { applied, seen }: Links, base: number): void {
  writeVarint(writer, applied.size);
  for (const [partition, position] of [...applied].sort(([a], [b]) => a - b)) {
    writeVarint(writer, partition);
    writeVarint(writer, position + 1);
  }
  writeVarint(writer, seen.length);
  for (const { anonymousId, since, hasArrived } of seen) {
    writeText(writer, anonymousId);
    writeSigned(writer, base - since);
    writeByte(writer, hasArrived ? 1 : 0);
  }
}

export function readLinks(reader: Reader, base: number): Links {
  const links = makeLinks();
  const partitions = readCount(reader, 2);
  for (let i = 0; i < partitions; i++) {
    const partition = readVarint(reader);
    links.applied.set(partition, readVarint(reader) - 1);
  }
  const sightings = readCount(reader, 3);
  for (let i = 0; i < sightings; i++) {
    const anonymousId = readText(reader);
    const since = base - readSigned(reader);
    const arrival = readVarint(reader);
    if (arrival > 1) unreadable('a link has neither arrived nor not', reader.at);
    links.seen.push({ anonymousId, since, hasArrived: arrival === 1 });
  }
  return links;
}
