import type { DecisionRecord, FeatureValue, FeatureVector } from './decision.ts';

/** What the console reads from the gateway (`/api/...`, cookie or admin token). All times Unix ms. */

/** GET /api/status */
export interface Status {
  readonly workspace: string;
  readonly workspaceHash: string;
  readonly version: string;
  readonly tenants: readonly {
    readonly name: string;
    readonly currency: string;
    readonly stopped: boolean;
  }[];
  readonly startedAt: number;
  readonly simulating: boolean;
  readonly roles: readonly { readonly name: string; readonly state: string; readonly why: string | null }[];
  readonly links: { readonly demo: string | null; readonly docs: string; readonly metrics: string };
  /** Totals since the beginning, from ClickHouse, and how many of them are simulated. */
  readonly totals: {
    readonly events: number;
    readonly decisions: number;
    readonly exposures: number;
    readonly outcomes: number;
    readonly deadLetters: number;
    readonly simulatedEvents: number;
  };
}

/** GET /api/throughput: one point per second, oldest first, at most 900. Latencies in milliseconds, null without data. */
export interface Throughput {
  readonly points: readonly {
    readonly at: number;
    readonly events: number;
    readonly decisions: number;
    readonly pushed: number;
    /** Append in the log -> committed state. */
    readonly commitP50: number | null;
    readonly commitP99: number | null;
    /** Append in the log -> offer handed to a live socket. */
    readonly pushP50: number | null;
    readonly pushP99: number | null;
  }[];
}

/** GET /api/live (server-sent events, `data: LiveMessage`). At most 30 messages a second; the rest are counted in `skipped`. */
export type LiveMessage =
  | {
      readonly kind: 'event';
      readonly at: number;
      readonly tenant: string;
      readonly subject: string;
      readonly type: string;
      readonly properties: Readonly<Record<string, unknown>>;
      readonly simulated: boolean;
      readonly declared: boolean;
    }
  | {
      readonly kind: 'decision';
      readonly at: number;
      readonly tenant: string;
      readonly subject: string;
      readonly id: string;
      readonly placement: string;
      readonly action: string | null;
      readonly mode: string;
      readonly simulated: boolean;
      readonly features: FeatureVector;
      readonly totalMs: number;
    }
  | {
      readonly kind: 'exposure' | 'outcome';
      readonly at: number;
      readonly tenant: string;
      readonly subject: string;
      readonly decision: string;
      readonly action: string;
      readonly what: string;
      readonly simulated: boolean;
    }
  | {
      readonly kind: 'pushed';
      readonly at: number;
      readonly tenant: string;
      readonly subject: string;
      readonly decision: string;
      readonly action: string;
      readonly simulated: boolean;
    }
  | { readonly kind: 'dead'; readonly at: number; readonly code: string; readonly message: string }
  | { readonly kind: 'skipped'; readonly count: number };

/** GET /api/decisions?tenant&placement&action&subject&before&limit: newest first. */
export interface DecisionList {
  readonly decisions: readonly {
    readonly id: string;
    readonly at: number;
    readonly tenant: string;
    readonly subject: string;
    readonly placement: string;
    readonly action: string | null;
    readonly mode: string;
    readonly rung: string;
    readonly acceptProbability: number | null;
    readonly candidates: number;
    readonly simulated: boolean;
    readonly outcome: string | null;
  }[];
  /** Pass as `before` for the next page; null at the end. */
  readonly next: number | null;
}

/** POST /api/tryout {expression, tenant?, placement?}: newest decision first. */
export interface TryOut {
  readonly verdicts: readonly {
    readonly decision: string;
    readonly subject: string;
    readonly placement: string;
    /** What was chosen then. */
    readonly action: string | null;
    /** Or why it could not be told: `missing: NAME`, or an error. */
    readonly verdict: boolean | string;
    readonly saw: FeatureVector;
  }[];
}

/** GET /v1/decisions/:id and GET /api/decisions/:id */
export interface DecisionDetail {
  readonly decision: DecisionRecord;
  readonly exposures: readonly { readonly at: number }[];
  readonly outcomes: readonly {
    readonly at: number;
    readonly outcome: string;
    readonly value: number | null;
  }[];
}

/** GET /v1/subjects/:id/features */
export interface SubjectFeatures {
  readonly subject: string;
  /** The anonymous subject that was asked for: its state has moved to `subject`. */
  readonly askedFor?: string;
  /** Event time the values are read at: the newest of the subject's events and now. */
  readonly at: number;
  readonly position: number;
  readonly features: FeatureVector;
}

/** GET /api/subjects/:id/state: all that the engine keeps of a subject, decoded. */
export interface SubjectStateContents {
  readonly tenant: string;
  readonly subject: string;
  readonly partition: number;
  /** Log position it reflects. */
  readonly position: number;
  /** Event time of the newest event; null: none of its own yet. */
  readonly newest: number | null;
  readonly blob: { readonly bytes: number; readonly version: number };
  readonly session: string | null;
  readonly sessions: readonly {
    readonly name: string | null;
    readonly first: number;
    readonly last: number;
  }[];
  /** Not null: this anonymous id is that user now, and only the link is left. */
  readonly moved: { readonly to: string; readonly isVouched: boolean } | null;
  /** Anonymous ids seen beside this user. */
  readonly links: readonly { readonly anonymousId: string; readonly hasArrived: boolean }[];
  /** Event ids kept against repeats. */
  readonly remembered: { readonly ids: number; readonly oldest: number | null };
  readonly timers: {
    /** When the engine looks at the subject next, if nothing happens before. */
    readonly due: number | null;
    readonly pending: readonly { readonly trigger: string; readonly key: string; readonly due: number }[];
    /** Conditions that hold or cool down. */
    readonly held: readonly {
      readonly trigger: string;
      readonly isTrue: boolean;
      readonly firedAt: number | null;
    }[];
  };
  readonly features: readonly {
    readonly name: string;
    readonly kind: string;
    readonly value: FeatureValue;
    readonly words: string | null;
  }[];
  /** Features that all subjects share: they are not in this state, but in the records of decisions that read them. */
  readonly shared: readonly string[];
  /** Caps that have been taken from, and how far. */
  readonly caps: readonly { readonly cap: string; readonly used: number; readonly limit: number }[];
}

/** POST /api/actions/stop, /api/actions/resume {tenant?, reason?}; without a tenant, all. */
export interface StopResult {
  readonly tenants: readonly { readonly name: string; readonly stopped: boolean }[];
}

/**
 * GET /api/outcomes?by&tenant&from&to: what came of decisions, by action, placement, policy, rung or model; at most 200
 * groups, those with most decisions first. Every decision counts once for each type of outcome.
 */
export interface OutcomeRates {
  readonly by: 'action' | 'placement' | 'policy' | 'rung' | 'model';
  /** Decisions made from `from` to before `to`, as known at `at`. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly groups: readonly {
    readonly tenant: string;
    /** Empty: nothing was offered, or no model. */
    readonly key: string;
    readonly simulated: boolean;
    readonly decisions: number;
    /** Something was chosen, and was to be delivered. */
    readonly offered: number;
    /** The client acknowledged that it was on the screen. All counts below are of these. */
    readonly shown: number;
    readonly accepted: number;
    readonly dismissed: number;
    readonly expired: number;
    /** No answer within the time-out. */
    readonly ignored: number;
    /** No answer yet. */
    readonly waiting: number;
    readonly metrics: readonly {
      readonly metric: string;
      /** Shown, and the window has passed: `rate` is of these. */
      readonly mature: number;
      /** Mature ones with at least one success. */
      readonly positives: number;
      readonly rate: number | null;
      /** Younger ones that have succeeded already; not in `rate`. */
      readonly provisional: number;
      /** Successes, each once, of all. */
      readonly successes: number;
      /** Sum of their values, an exact decimal in the tenant's currency. */
      readonly value: string;
    }[];
  }[];
  /** There are more groups. */
  readonly truncated: boolean;
}

/** GET /api/lift?tenant&from&to&at: what deciding brings, by intention to treat, for each metric of the workspace. */
export interface OutcomeLift {
  /** Decisions made from `from` to before `to`, as known at `at`. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly metrics: readonly {
    readonly tenant: string;
    readonly simulated: boolean;
    readonly metric: string;
    readonly offered: LiftArm;
    readonly heldOut: LiftArm;
    /** Persons seen in both arms: in neither figure. */
    readonly mixed: number;
    /** Persons whose window is still open: in neither figure. */
    readonly young: number;
    /** Share of persons with a success, offered less held out; null: an arm has nobody. */
    readonly success: LiftDifference | null;
    /** Value a person, offered less held out, in the tenant's currency. */
    readonly value: LiftDifference | null;
    /** Whether as many are held out as should be; `isOff`: by chance once in a thousand times, so look before you read. */
    readonly sampleRatio: { readonly share: number; readonly z: number; readonly isOff: boolean };
  }[];
}
export interface LiftArm {
  readonly people: number;
  readonly successes: number;
  readonly value: number;
}
/** With its interval of 95%, and the least difference that would be seen with a power of 80%. */
export interface LiftDifference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly detectable: number;
}
