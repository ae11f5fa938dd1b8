import type { Considered } from '../decisions/index.ts';

/** Rows per call to a model: large enough to spread a call's cost, small enough to look at the budget between calls. */
const rowsPerCall = 256;

/** Whole decisions only, so that none is split over two rungs. */
export function* chunksOf<T extends { readonly considered: Considered }>(work: readonly T[]): Generator<T[]> {
  let chunk: T[] = [];
  let rows = 0;
  for (const item of work) {
    const more = item.considered.contenders.length;
    if (rows > 0 && rows + more > rowsPerCall) {
      yield chunk;
      chunk = [];
      rows = 0;
    }
    chunk.push(item);
    rows += more;
  }
  if (chunk.length > 0) yield chunk;
}
