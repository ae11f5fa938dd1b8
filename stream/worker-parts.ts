import type { Clock, Logger } from '../core/index.ts';
import type { FeatureSet } from './features/port.ts';
import type { EventLog } from './log/port.ts';
import type { StreamMetrics } from './metrics.ts';
import type { PartitionState } from './partition-state.ts';
import type { StateStore } from './state/port.ts';
import type { CacheLimits } from './subjects.ts';
import type { TopologyParts } from './topology.ts';

/** What a generation of state is made with and read by. */
export type Engine = Pick<TopologyParts, 'workspace' | 'features' | 'scorers' | 'completeMoved' | 'shared'>;

/** The generations that there are, for a partition that runs. */
export interface Engines {
  /**
   * null: not known here. Generations that nothing is said of run the workspace that the log said last, where that is
   * known, else the one that the program was started with.
   */
  of(generation: number, workspace?: string | null): Engine | null;
  /**
   * Waits until what is built as this generation has everything before `position`, and what the partition's watermarks
   * have made due; false: it does not get there.
   */
  isReady(
    partition: number,
    generation: number,
    position: number,
    watermarks: PartitionState['watermarks'],
  ): Promise<boolean>;
}

export interface WorkerParts extends TopologyParts {
  /** Absent: there is one engine, and no other can be activated. */
  readonly engines?: Engines | undefined;
  readonly log: EventLog;
  readonly store: StateStore;
  readonly features: FeatureSet;
  readonly metrics: StreamMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A fresh random id per commit. */
  readonly newId: () => string;
  /**
   * Least milliseconds from one batch of a partition to the next while there is no lag; 0 if left out. What comes in
   * between shares a commit: each has its price, and many small ones keep the processor from all that is behind them.
   */
  readonly paceMs?: number | undefined;
  /** Milliseconds before beginning again after an error: the first time, and at most. */
  readonly backoffMs?: { readonly first: number; readonly most: number };
  /** How many entries of the index of timers are read at once. */
  readonly timersPage?: number | undefined;
  /** Records of one batch and states in memory, if not the usual numbers: for tests of many batches and reloads. */
  readonly batchRecords?: number | undefined;
  readonly cacheLimits?: CacheLimits | undefined;
  /** Tells observers (live view, throughput) of each committed batch; must not throw. */
  readonly onCommitted?: (summary: CommittedBatch) => void;
}

export interface CommittedBatch {
  readonly partition: number;
  readonly records: number;
  readonly decisions: number;
  /** Append time of the batch's oldest record, and when its commit was acknowledged. */
  readonly oldestAppendedAt: number;
  readonly committedAt: number;
}
