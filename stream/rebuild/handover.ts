import type { PartitionState } from '../partition-state.ts';

/** Where a worker waits for what is built, and how far event time has come for it there. */
export interface Waiting {
  readonly generation: number;
  readonly position: number;
  readonly watermarks: PartitionState['watermarks'];
}

/** What a worker that is to change over and the shadow that it changes to say to each other, by partition. */
export interface Handover {
  /** The worker's word. */
  wait(partition: number, waiting: Waiting): void;
  /** Whether the shadow has done what `Waiting` asks for. */
  isSettled(partition: number, waiting: Waiting): boolean;
  waiting(partition: number): Waiting | null;
  /** The shadow's word. */
  settled(partition: number, waiting: Waiting): void;
}

export function makeHandover(): Handover {
  const waiting = new Map<number, Waiting>();
  const settled = new Map<number, Waiting>();
  return {
    wait: (partition, asked) => void waiting.set(partition, asked),
    isSettled: (partition, asked) => settled.get(partition) === asked,
    waiting: (partition) => waiting.get(partition) ?? null,
    settled: (partition, asked) => void settled.set(partition, asked),
  };
}
