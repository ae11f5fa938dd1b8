import type { Clock, Logger } from '../core/index.ts';
import type { FeatureSet } from './features/port.ts';
import type { EventLog } from './log/port.ts';
import type { StreamMetrics } from './metrics.ts';
import type { StateStore } from './state/port.ts';
import type { CacheLimits } from './subjects.ts';
import type { TopologyParts } from './topology.ts';

export interface WorkerParts extends TopologyParts {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly features: FeatureSet;
  readonly metrics: StreamMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A fresh random id per commit. */
  readonly newId: () => string;
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
