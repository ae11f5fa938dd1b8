import { createHash } from 'node:crypto';

/** Numbers in [0, 1): the same sequence for the same name. A hash each, which is fast enough for people. */
export function randomOf(name: string): () => number {
  let drawn = 0;
  return () => createHash('sha256').update(`${name}:${drawn++}`).digest().readUInt32BE(0) / 2 ** 32;
}
