/** What a partition knows beside its subjects: part of every commit that changes it. */
export interface PartitionState {
  /** Newest event time seen, by tenant: serves the late counter (and timers), never what is stored. */
  readonly watermarks: Map<string, number>;
  /** Tenants whose actions are stopped. */
  readonly stopped: Set<string>;
  changed: boolean;
}

export const emptyPartitionState = (): PartitionState => ({
  watermarks: new Map(),
  stopped: new Set(),
  changed: false,
});

/** JSON, since it is read once and small: one entry a tenant. */
export function encodePartitionState(state: PartitionState): Buffer {
  return Buffer.from(
    JSON.stringify({ v: 1, watermarks: [...state.watermarks], stopped: [...state.stopped] }),
  );
}

export function decodePartitionState(bytes: Buffer | null): PartitionState {
  if (bytes === null) return emptyPartitionState();
  const stored = JSON.parse(bytes.toString('utf8')) as { watermarks: [string, number][]; stopped: string[] };
  return { watermarks: new Map(stored.watermarks), stopped: new Set(stored.stopped), changed: false };
}
