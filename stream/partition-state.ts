import { PresageError } from '../core/index.ts';
import { makeWatermark, type Watermark } from './timers/watermark.ts';

/** What a partition knows beside its subjects: part of every commit that changes it. */
export interface PartitionState {
  /** How far event time has come, by tenant: serves timers and the late counter, never what is stored. */
  readonly watermarks: Map<string, Watermark>;
  /** Tenants whose actions are stopped. */
  readonly stopped: Set<string>;
  /** The last time that a generation was to come into force, whether or not it did. */
  activation: { readonly generation: number; readonly workspace: string; readonly position: number } | null;
  /**
   * By partition of this version of the log: the highest position of what it has sent here. Subjects know it too, but are
   * forgotten.
   */
  readonly arrived: Map<number, number>;
  /** Hash of the workspace that the log said last is to be used on this state; null: it said nothing. */
  workspace: string | null;
  changed: boolean;
}

export const emptyPartitionState = (): PartitionState => ({
  watermarks: new Map(),
  stopped: new Set(),
  activation: null,
  arrived: new Map(),
  workspace: null,
  changed: false,
});

/** The tenant's watermark; begins one where there is none. */
export function watermarkOf(state: PartitionState, tenant: string): Watermark {
  let mark = state.watermarks.get(tenant);
  if (mark === undefined) {
    mark = makeWatermark();
    state.watermarks.set(tenant, mark);
  }
  return mark;
}

const version = 3;
type StoredMark = [
  tenant: string,
  at: number | null,
  movedAt: number,
  leader: string,
  leadTime: number | null,
  ledAt: number,
];

/** JSON, since it is read once and small: one entry a tenant. */
export function encodePartitionState(state: PartitionState): Buffer {
  const watermarks = [...state.watermarks].map(
    ([tenant, { at, movedAt, leader, leadTime, ledAt }]): StoredMark => [
      tenant,
      finiteOrNull(at),
      movedAt,
      leader,
      finiteOrNull(leadTime),
      ledAt,
    ],
  );
  return Buffer.from(
    JSON.stringify({
      v: version,
      watermarks,
      stopped: [...state.stopped],
      activation: state.activation,
      arrived: [...state.arrived],
      ...(state.workspace === null ? {} : { workspace: state.workspace }),
    }),
  );
}

/** Throws PresageError `state_unreadable` for what a newer version wrote. */
export function decodePartitionState(bytes: Buffer | null): PartitionState {
  if (bytes === null) return emptyPartitionState();
  const stored = JSON.parse(bytes.toString('utf8')) as
    | { v: 1; watermarks: [string, number][]; stopped: string[] }
    | {
        v: 2 | 3;
        watermarks: StoredMark[];
        stopped: string[];
        activation?: PartitionState['activation'];
        arrived?: [partition: number, position: number][];
        workspace?: string;
      };
  if (stored.v !== 1 && stored.v !== 2 && stored.v !== version)
    throw new PresageError(
      'state_unreadable',
      `The state of a partition is of version ${(stored as { v: unknown }).v}; this program reads versions 1 to ${version}. Start the program that wrote it.`,
    );
  const watermarks = new Map<string, Watermark>();
  if (stored.v === 1) {
    for (const [tenant, at] of stored.watermarks)
      watermarks.set(tenant, { ...makeWatermark(), at, movedAt: at, leadTime: at, ledAt: at });
  } else {
    for (const [tenant, at, movedAt, leader, leadTime, ledAt] of stored.watermarks)
      watermarks.set(tenant, {
        at: at ?? -Infinity,
        movedAt,
        leader,
        leadTime: leadTime ?? -Infinity,
        ledAt,
      });
  }
  const activation = (stored.v !== 1 && stored.activation) || null;
  const arrived = new Map((stored.v !== 1 && stored.arrived) || []);
  const workspace = (stored.v !== 1 && stored.workspace) || null;
  return { watermarks, stopped: new Set(stored.stopped), activation, arrived, workspace, changed: false };
}

const finiteOrNull = (time: number): number | null => (time === -Infinity ? null : time);
