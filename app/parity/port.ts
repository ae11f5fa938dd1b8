import type { DecisionRecord, FeatureValue } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';

/** Asks ClickHouse, read-only, as `presage sql` does; through a running instance or in this process. */
export type Ask = <T>(sql: string) => Promise<T[]>;

export interface ParityOptions {
  readonly workspace: CompiledWorkspace;
  readonly ask: Ask;
  /** How many decisions are looked at. */
  readonly sample: number;
  /** Only decisions at or after this event time, Unix milliseconds; null = all. */
  readonly since: number | null;
  /** Resolves after this many milliseconds: the sink may be at work. */
  readonly pause: (ms: number) => Promise<void>;
  readonly progress?: (checked: number, of: number) => void;
}

/** A decision as it was recorded. */
export interface Served {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly partition: number;
  readonly position: number;
  readonly time: number;
  readonly features: Readonly<Record<string, FeatureValue>>;
  /** Of the shared features that it read: what they had counted; null: there were none. */
  readonly snapshot: NonNullable<DecisionRecord['shared']> | null;
}

/** Which snapshots of shared features were computed. */
export interface SharedReport {
  readonly features: readonly string[];
  readonly snapshots: number;
  /** Whose events are too many for ClickHouse's limits. */
  readonly tooLarge: number;
  /** Other snapshots that the sampled decisions had read. */
  readonly otherSnapshots: number;
  /** Whose events have not all reached ClickHouse yet. */
  readonly notYetStored: number;
  /** Features younger than their window: they began empty with this version of the workspace. */
  readonly tooYoung: readonly string[];
  /** Features with a condition that SQL can't tell. */
  readonly notTold: readonly string[];
}

/**
 * `mismatch`: both have a value, and they differ. `missing`: events give a value, none was served. `extra`: a value was
 * served that events don't give, or of a feature that the workspace doesn't define.
 */
export type DifferenceKind = 'mismatch' | 'missing' | 'extra';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly feature: string;
  readonly decision: string;
  readonly subject: string;
  readonly partition: number;
  readonly position: number;
  readonly time: number;
  readonly served: FeatureValue;
  readonly computed: FeatureValue;
  /** The subject exceeds what the kind is documented to keep, so that this difference is none of the engine's. */
  readonly isBeyondLimits: boolean;
}

export interface FeatureTally {
  readonly feature: string;
  readonly kind: string;
  /** null = exact. */
  readonly bound: string | null;
  compared: number;
  mismatch: number;
  missing: number;
  extra: number;
  /** Differences of subjects that exceed documented limits; in none of the other numbers but `compared`. */
  beyondLimits: number;
}

export interface ParityReport {
  readonly ok: boolean;
  readonly workspace: string;
  readonly decisions: {
    readonly compared: number;
    /** Of other versions of the workspace: their features may be defined otherwise. */
    readonly otherWorkspace: number;
    /** Whose events have not all reached ClickHouse yet. */
    readonly notYetStored: number;
    /** Of those compared: they equal what their subject did since a silence of `state.ttl`, after which it began anew. */
    readonly forgotten: number;
  };
  readonly features: readonly FeatureTally[];
  /** Features that all subjects share; they are in `features` too. */
  readonly shared: SharedReport;
  /** The first of each feature. */
  readonly differences: readonly Difference[];
  /** Events of the sample's subjects whose id an earlier one had: repeats beyond de-duplication, counted by both sides. */
  readonly repeats: number;
  /** Conditions that SQL can't tell and the engine evaluated. */
  readonly conditionsByEngine: readonly string[];
}
