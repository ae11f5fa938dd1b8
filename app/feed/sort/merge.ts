import { isBefore, type RunReader, type SortRecord } from './run.ts';

interface Head {
  record: SortRecord;
  readonly run: RunReader;
}

/** All records of several sorted runs in order: a binary heap of the runs' first records. */
export async function* mergeRuns(runs: readonly RunReader[]): AsyncGenerator<SortRecord> {
  const heap: Head[] = [];
  for (const run of runs) {
    const record = await run.read();
    if (record !== null) heap.push({ record, run });
  }
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  for (let head = heap[0]; head !== undefined; head = heap[0]) {
    yield head.record;
    const next = head.run.peeked() ?? (await head.run.read());
    if (next !== null) head.record = next;
    else {
      const last = heap.pop();
      if (last !== undefined && last !== head) heap[0] = last;
    }
    siftDown(heap, 0);
  }
}

function siftDown(heap: Head[], from: number): void {
  const moved = heap[from];
  if (moved === undefined) return;
  let at = from;
  for (;;) {
    const left = heap[2 * at + 1];
    if (left === undefined) break;
    const right = heap[2 * at + 2];
    const rightIsLess = right !== undefined && isBefore(right.record, left.record);
    const least = rightIsLess ? right : left;
    if (!isBefore(least.record, moved.record)) break;
    heap[at] = least;
    at = 2 * at + (rightIsLess ? 2 : 1);
  }
  heap[at] = moved;
}
