import type { DecisionRecord, FeatureVector, Lookup, Posterior } from '../schemas/index.ts';
import type { CompiledAction, CompiledPlacement } from '../workspace/index.ts';

/** All that a decision is made from. The same question always has the same answer. */
export interface Question {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly session: string | null;
  readonly placement: CompiledPlacement;
  readonly startedBy: DecisionRecord['startedBy'];
  /** Event time it is made at: caps count and offers expire by it. */
  readonly time: number;
  readonly simulated: boolean;
  readonly log: DecisionRecord['log'];
  readonly features: FeatureVector;
  /** Of `features`, what all subjects share: the record holds what was read of it. */
  readonly shared?: {
    readonly positions: Readonly<Record<string, number>>;
    /** Where these partitions begin: everything of those before is counted. Absent: 0. */
    readonly before?: number | undefined;
    seen(): FeatureVector;
  };
  readonly identity?: DecisionRecord['identity'];
  /** Subjects as which this person was seen, the first seen first. Absent or empty: as `subject` alone. */
  readonly seenAs?: readonly string[];
  /** Properties of the trigger's event; null on the request path. */
  readonly event: Readonly<Record<string, unknown>> | null;
  /** From the body of the request; null in the stream. */
  readonly context: Readonly<Record<string, unknown>> | null;
  /** Append time of the event, or receive time of the request. */
  readonly receivedAt: number;
  readonly workspace: string;
  /** The stop switch was on at this position. */
  readonly stopped: boolean;
  readonly featuresMs: number;
  /** What business systems said; absent: none was asked. */
  readonly lookups?: readonly Lookup[];
}

/** A candidate that is still in after the rules, and what its priority will be made of. */
export interface Contender {
  readonly action: CompiledAction;
  readonly contextWeight: number;
  readonly value: number;
  readonly lever: number;
  /** What is believed of its acceptance probability, where the policy draws from that. */
  readonly posterior?: Posterior;
}

/** Acceptance probabilities of the contenders, in their order, and where they came from. */
export interface Scores {
  readonly acceptProbabilities: ArrayLike<number>;
  readonly rung: DecisionRecord['rung'];
  readonly rungReason: string;
  readonly model: DecisionRecord['model'];
  readonly scoringMs: number;
  /**
   * Whether a policy may explore with these. Not where rules stand in for a model that could not answer, nor on the
   * default: such a decision is logged `deterministic`. Absent: it may.
   */
  readonly explores?: boolean;
}
