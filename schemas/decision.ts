/** A feature value as expressions and models see it; `null` = the subject has no value yet. */
export type FeatureValue =
  | number
  | string
  | boolean
  | null
  | readonly string[]
  | Readonly<Record<string, number>>;
export type FeatureVector = Readonly<Record<string, FeatureValue>>;

/** Where a candidate left the race, or that it stayed in. */
export type VerdictStage =
  | 'eligibility'
  | 'applicability'
  | 'suitability'
  | 'constraints'
  | 'scoring'
  | 'arbitration'
  | 'exploration'
  | 'gate'
  | 'chosen';

/** Why one candidate was or was not chosen. Every candidate ends with one. */
export interface Verdict {
  readonly stage: VerdictStage;
  /** The rule that decided: an expression's text, a cap's id, `missing: NAME`, `outranked`, `chosen`. */
  readonly rule: string;
  /** The values that the rule saw. */
  readonly saw: FeatureVector;
}

export interface Candidate {
  readonly action: string;
  readonly verdict: Verdict;
  /** Absent for candidates that were out before scoring. */
  readonly score?: {
    readonly acceptProbability: number;
    readonly contextWeight: number;
    readonly value: number;
    readonly lever: number;
    readonly priority: number;
  };
  /** 1 = highest priority; absent for candidates that were out before arbitration. */
  readonly rank?: number;
  /** Place in the ranking that was drawn, 1 = first; absent where nothing was drawn. */
  readonly drawn?: number;
  /** What is believed of the acceptance probability, Beta(alpha, beta); only where the policy draws from it. */
  readonly posterior?: Posterior;
}

export interface Posterior {
  readonly alpha: number;
  readonly beta: number;
}

/** How a ranking is drawn. Absent from a record: by priority alone. */
export interface Exploration {
  readonly kind: 'epsilon_greedy' | 'softmax' | 'thompson';
  /** Of softmax: a candidate's weight is priority ^ (1 / temperature). */
  readonly temperature?: number;
  /** Probability with which the ranking is a uniform permutation instead: epsilon and the floor together. */
  readonly uniform: number;
}

/** Who gets nothing for a while, so that lift can be measured. */
export interface HoldoutArm {
  readonly arm: 'held_out' | 'offered';
  /** `2026-11`, `2026-Q4`, or `fixed`. */
  readonly period: string;
  /** Share of all that are held out. */
  readonly share: number;
  /** The first subject as which this person was seen: the arm is its. */
  readonly unit: string;
  /** This person was also seen as a subject of the other arm: left out of lift, and counted. */
  readonly isMixed?: true;
}

/** Offering nothing, as a candidate: it is always available, and ends the slots. */
export interface NothingCandidate {
  readonly priority: number;
  readonly rank: number;
  readonly drawn?: number;
}

/** What one of several slots shows, in order. */
export interface DecisionSlot {
  /** `null`: nothing; it is the last slot then. */
  readonly action: string | null;
  /** Actions that had room for it, given what earlier slots took, in the order that was drawn. */
  readonly available: readonly string[];
  /** P(action | earlier slots, available). */
  readonly choicePropensity: number;
  /** P(action in this slot), whatever the earlier slots show. */
  readonly marginal: number;
  /** Standard error of `marginal`; 0: it is exact. */
  readonly marginalError: number;
  readonly mode: DecisionMode;
  readonly offer: Offer | null;
}

/** How full one cap was when the decision was committed. */
export interface CapSeen {
  readonly cap: string;
  readonly action: string;
  readonly used: number;
  readonly limit: number;
  /** The slot, from 0, that it was full for because of what earlier slots took; absent: as seen for the first. */
  readonly slot?: number;
  /** The whole limit, where `limit` is only what the partition had leased of it. */
  readonly budget?: number;
}

/**
 * Who gave the probabilities: the placement's model; its cheaper one; the guesses of the workspace; nobody, as the state
 * could not be read in time.
 */
export type Rung = 'champion' | 'cheap' | 'rules' | 'default';

/** What a business system said when a decision was made (capability 24); none is asked yet. */
export interface Lookup {
  readonly name: string;
  readonly source: string;
  readonly value: FeatureValue;
  /** Milliseconds since the source said so. */
  readonly age: number;
}

/** What a model that only watches gave: at most 2 models and 50 candidates. Absent where it was not in time. */
export interface ShadowScores {
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly acceptProbabilities: Readonly<Record<string, number>>;
}

/**
 * Only `act` is delivered. `observe` is recorded only; `stopped` was decided while the stop switch was on; `holdout`
 * would have been delivered, were the subject not held out; `review` did not pass its gate.
 */
export const decisionModes = ['act', 'observe', 'stopped', 'holdout', 'review'] as const;
export type DecisionMode = (typeof decisionModes)[number];

/**
 * One decision, complete: everything that is not a function of the log is in here (ARCHITECTURE, "What a decision
 * depends on"). JSON; times are Unix milliseconds, durations milliseconds.
 */
export interface DecisionRecord {
  readonly id: string;
  readonly tenant: string;
  /** `u:<userId>` or `a:<anonymousId>`. */
  readonly subject: string;
  readonly session: string | null;
  readonly placement: string;
  readonly startedBy:
    | {
        readonly kind: 'trigger';
        readonly trigger: string;
        readonly event: string;
        readonly eventType: string;
      }
    /** A timer of the subject, due at this event time: an absence, or the end of a session. */
    | { readonly kind: 'timer'; readonly trigger: string; readonly due: number }
    /** `fingerprint`: of what was asked, where the asker sent an Idempotency-Key. */
    | { readonly kind: 'request'; readonly request: string; readonly fingerprint?: string };
  /** Event time of the trigger's event, the timer's due time, or the gateway's receive time of the request. */
  readonly time: number;
  readonly simulated: boolean;
  /** Log coordinates: features are as of this position, inclusive; for a request, the blob's position. */
  readonly log: { readonly partition: number; readonly position: number };
  readonly features: FeatureVector;
  /**
   * Of the features that all subjects share: by partition the last position they had counted, and everything before
   * `before`, of the partitions that there were then (absent: 0). Absent: there are none.
   */
  readonly shared?: { readonly positions: Readonly<Record<string, number>>; readonly before?: number };
  /** What is known of moves between an anonymous id and this subject (docs/identity.md); absent: nothing. */
  readonly identity?: DecisionIdentity;
  /** Values from the request, or the properties of the trigger's event that expressions read. */
  readonly context: FeatureVector;
  readonly candidates: readonly Candidate[];
  /** Actions still available at the commit, in ranking order. */
  readonly available: readonly string[];
  readonly capsSeen: readonly CapSeen[];
  /** Absent: the workspace holds nobody out. */
  readonly holdout?: HoldoutArm;
  /** Absent: the candidates are ranked by priority alone. */
  readonly exploration?: Exploration;
  /** Absent: nothing is offered only where nothing is available. */
  readonly nothing?: NothingCandidate;
  /** `null`: nothing was offered. Of several slots: the first. */
  readonly action: string | null;
  /** Probability with which this policy chose `action` (for the first slot), given what was available. */
  readonly choicePropensity: number;
  /** No other choice was possible, for any slot: the policy draws nothing, or there was nothing to draw from. */
  readonly deterministic: boolean;
  /** Where the placement has several: what each shows. */
  readonly slots?: readonly DecisionSlot[];
  /** Probability of all slots together: the product of their `choicePropensity`. */
  readonly slatePropensity?: number;
  readonly rung: Rung;
  readonly rungReason: string;
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string } | null;
  readonly policy: string;
  readonly workspace: string;
  readonly mode: DecisionMode;
  readonly purpose: string | null;
  /** What the client shows; null when nothing was offered. */
  readonly offer: Offer | null;
  readonly recorded: boolean;
  /** How a person reviews it; absent: the action has no gate. */
  readonly review?: DecisionReview;
  /** Business systems looked up at decision time; none yet (capability 24). */
  readonly lookups: readonly Lookup[];
  readonly shadows?: readonly ShadowScores[];
  readonly timings: DecisionTimings;
}

/** `gate`: it was not confident enough and waits. `sample`: it passed, is executed, and is looked at all the same. */
export const reviewReasons = ['gate', 'sample'] as const;
export type ReviewReason = (typeof reviewReasons)[number];

/** Of a decision whose action has a gate: whether and how it is reviewed. Times are Unix milliseconds. */
export interface DecisionReview {
  /** null: it passed, and was not drawn for review. */
  readonly reason: ReviewReason | null;
  /** P(reviewed): 1 below the gate; what a label is weighted by is 1 over it. */
  readonly probability: number;
  /** Calibrated probability that the action is right; null: nothing calibrates it. */
  readonly confidence: number | null;
  readonly threshold: number;
  readonly escalatesAt: number;
  readonly expiresAt: number;
  /** A person let it be executed, and when. */
  readonly released?: { readonly verdict: 'approved' | 'edited'; readonly by: string; readonly at: number };
}

export interface DecisionIdentity {
  /** Anonymous ids seen beside this user whose state had not arrived at `log`: it may be on its way. */
  readonly pendingTransfers?: readonly string[];
  /** The anonymous subject that was asked for: its state has moved to `subject`. */
  readonly askedFor?: string;
  /** The state of this anonymous subject has moved to a user about whom the asker may not ask: decided without it. */
  readonly hasMoved?: true;
}

export interface Offer {
  readonly content: Readonly<Record<string, unknown>>;
  /** Never shown after this time. */
  readonly expiresAt: number;
}

export interface DecisionTimings {
  /** Log append time of the trigger's event, or receive time of the request. */
  readonly receivedAt: number;
  readonly decidedAt: number;
  readonly featuresMs: number;
  readonly scoringMs: number;
  /** Of `scoringMs`, what each rung took that was asked, whether or not it answered. */
  readonly rungs?: Readonly<Partial<Record<Rung, number>>>;
  readonly totalMs: number;
}
