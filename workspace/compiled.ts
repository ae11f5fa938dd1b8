import type {
  Calibration,
  FeatureValue,
  FeatureVector,
  RightCalibration,
  WorkspaceSource,
} from '../schemas/index.ts';

/** What an expression can read. Plain data; `event` and `context` values are as the client sent them. */
export interface Scope {
  /** Features by bare name: `cart_value`. */
  readonly features: FeatureVector;
  /** `event.<property>`: properties of the event in hand; null on the request path. */
  readonly event: Readonly<Record<string, unknown>> | null;
  /** `action.<attribute>` of the candidate in hand. */
  readonly action: Readonly<Record<string, number | string>> | null;
  /** `context.<name>`: from the body of a decide request. */
  readonly context: Readonly<Record<string, unknown>> | null;
}

export type Evaluation<T> =
  | { readonly kind: 'value'; readonly value: T }
  /** A value it needs is absent or null; `name` is as written in the expression (`cart_value`, `event.price`). */
  | { readonly kind: 'missing'; readonly name: string }
  | { readonly kind: 'error'; readonly message: string };

/** A CEL expression, parsed and type-checked once at load. `evaluate` never throws. */
export interface Expression<T extends boolean | number> {
  readonly text: string;
  /** Names it reads, as written: `cart_value`, `event.price`, `action.discount`. */
  readonly reads: readonly string[];
  /** Whether it reads anything of the candidate; if not, one evaluation serves all candidates of a decision. */
  readonly readsAction: boolean;
  evaluate(scope: Scope): Evaluation<T>;
  /** The values it read, for the trace. */
  saw(scope: Scope): Record<string, FeatureValue>;
}

/** A feature's definition with everything normalised; the input of stream/features. */
export type FeatureKind =
  | 'count'
  | 'sum'
  | 'min'
  | 'max'
  | 'mean'
  | 'last'
  | 'last_n'
  | 'distinct'
  | 'time_since'
  | 'session'
  | 'decay'
  | 'approx_distinct'
  | 'top_k'
  | 'sequence'
  | 'ratio'
  | 'derived';

/** One step of a sequence: which events it is. */
export interface CompiledStep {
  readonly types: ReadonlySet<string> | null;
  readonly where: Expression<boolean> | null;
}

/** How a feature that keeps no state is computed from others when it is read. */
export interface Derivation {
  /** The features it reads, by name. */
  readonly inputs: readonly string[];
  /** Its value from theirs; null when one that it needs is missing, and where there is no finite number. Never throws. */
  compute(features: FeatureVector): number | boolean | null;
}

export interface CompiledFeature {
  readonly name: string;
  readonly kind: FeatureKind;
  /** Content hash of everything that shapes its state (not its name): two features of one hash keep equal state. */
  readonly hash: string;
  /** null = every event type that does not begin with `$`. Of a sequence those of all its steps; of a ratio or derived feature none. */
  readonly types: ReadonlySet<string> | null;
  readonly where: Expression<boolean> | null;
  /** Bucket length and number of buckets of the ring; 0 and 0 where the kind has no window. */
  readonly bucketMs: number;
  readonly buckets: number;
  readonly property: string | null;
  readonly propertyType: 'string' | 'number';
  /** Power of ten for exact decimals: 4 -> values are kept as integers of 0.0001. */
  readonly scale: number;
  /** Property whose values key the map, or null. */
  readonly by: string | null;
  readonly keys: number;
  readonly n: number;
  readonly max: number;
  readonly measure: 'count' | 'duration' | 'since' | 'any' | null;
  /** Of a decay; else 0. */
  readonly halfLifeMs: number;
  /** Of an approximate distinct: log2 of a sketch's registers; else 0. */
  readonly precision: number;
  /** Of a sequence: how far back, and the longest time from first to last step; else 0. */
  readonly windowMs: number;
  readonly withinMs: number;
  /** Of a sequence, whose `by` is the property that all steps share and whose `keys` is how many steps are kept. */
  readonly steps: readonly CompiledStep[];
  /** Of a ratio or derived feature, which keeps no state; else null. */
  readonly derived: Derivation | null;
}

export type TypeErrorInProperties = {
  readonly path: string;
  readonly expected: string;
  readonly got: string;
};

export interface CompiledEventType {
  readonly name: string;
  /** Goes with each record of this type (`StoredEvent.schema`). */
  readonly schemaHash: string;
  readonly latenessMs: number;
  /** The first property that does not fit, or null. Never throws. */
  check(properties: Readonly<Record<string, unknown>>): TypeErrorInProperties | null;
  /** Whether none of these is undeclared. */
  declaresAll(properties: Readonly<Record<string, unknown>>): boolean;
}

export interface CompiledCap {
  /** Unique in the workspace, e.g. `free_shipping/session` or `free_shipping/subject/7d`. */
  readonly id: string;
  readonly per: 'session' | 'subject' | 'tenant';
  readonly limit: number;
  readonly windowMs: number | null;
  /** `exclude`: a group's actions exclude each other. `after`: out after a dismissal. Absent: so many have room. */
  readonly role?: 'exclude' | 'after';
  /** Of one for all of a tenant's subjects: the stretch of event time that a moment counts in. */
  readonly lease?: {
    /** How many stretches after it share the limit with it. */
    readonly spans: number;
    bucketAt(tenant: string, time: number): number;
  };
}

/** The stages at which an expression can put a candidate out, in their order. */
export const ruleStages = ['eligibility', 'applicability', 'suitability'] as const;
export type RuleStage = (typeof ruleStages)[number];

export interface CompiledRule {
  readonly stage: RuleStage;
  readonly expression: Expression<boolean>;
  /** Where it is written, for messages: `actions.help.eligible`. */
  readonly path: readonly string[];
}

/** Below `threshold` it waits for a person; of what passes and is reversible, some is reviewed too. */
export interface CompiledGate {
  readonly target: 'right';
  readonly threshold: number;
  readonly isReversible: boolean;
  /** P(reviewed) of a reversible decision that passes. */
  readonly sample: number;
  readonly escalateMs: number;
  readonly withinMs: number;
  /** How sure we are that it is right; null: nobody can say. */
  readonly calibration: RightCalibration | null;
}

export interface CompiledAction {
  readonly name: string;
  readonly group: string | null;
  /** In the order of the stages; at each the group's comes before the action's own. */
  readonly rules: readonly CompiledRule[];
  readonly value: number | Expression<number>;
  readonly weight: number | Expression<number>;
  readonly lever: number | Expression<number>;
  readonly attributes: Readonly<Record<string, number | string>>;
  readonly purpose: string | null;
  /** Its own, its group's, and what a dismissal leads to. */
  readonly caps: readonly CompiledCap[];
  readonly mode: 'act' | 'observe';
  /** Where a tenant states another mode. */
  readonly modeFor?: (tenant: string) => 'act' | 'observe';
  /** Absent: nobody asks for consent to its purpose. */
  readonly consent?: {
    readonly purpose: string;
    /** The feature with the newest word on it: `true` or `false`, as text. */
    readonly feature: string;
    readonly rule: (tenant: string) => 'required' | 'optional' | 'none';
  };
  /** It is delivered to those who are held out, too. */
  readonly isExempt?: true;
  /** Null: it only informs, and may always be executed. */
  readonly gate: CompiledGate | null;
  readonly content: Readonly<Record<string, unknown>>;
  readonly rulesProbability: number;
}

export interface CompiledModel {
  readonly id: string;
  readonly version: string;
  /** Absolute path of the ONNX file; it exists. */
  readonly path: string;
  readonly sha256: string;
  readonly inputs: readonly string[];
  readonly missing: number;
  readonly defaults: Readonly<Record<string, number>>;
  readonly block: number;
  /** Content hash of the manifest beside the file; absent: there is none, and no field below. */
  readonly manifest?: string;
  readonly calibration?: Calibration;
  /** The same model in 8-bit integers, for where it is as good within `bound` on these rows. */
  readonly quantised?: {
    readonly path: string;
    readonly sha256: string;
    readonly bound: number;
    readonly rows: readonly (readonly number[])[];
  };
}

/** How a placement tries what it does not expect to be best. */
export type CompiledExploration =
  | { readonly kind: 'epsilon_greedy'; readonly epsilon: number; readonly floor: boolean }
  | { readonly kind: 'softmax'; readonly temperature: number; readonly floor: boolean }
  | {
      readonly kind: 'thompson';
      readonly alpha: Expression<number>;
      readonly beta: Expression<number>;
      readonly floor: boolean;
    };

export interface QuietHours {
  readonly text: string;
  /** Minutes since local midnight. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** With the subject's time zone; null: it is the tenant's. */
  readonly feature: string | null;
  readonly timezoneOf: (tenant: string) => string;
}

export interface CompiledHoldout {
  readonly share: number;
  readonly period: 'month' | 'quarter' | 'fixed';
  readonly salt: string;
}

export interface CompiledPlacement {
  readonly name: string;
  /** Absent: nobody is held out. */
  readonly holdout?: CompiledHoldout;
  /** How many actions it shows at once; absent: 1. */
  readonly slots?: number;
  /** What showing nothing is worth; absent: it is no candidate. */
  readonly nothing?: number | Expression<number>;
  /** Absent: by priority alone. */
  readonly exploration?: CompiledExploration;
  readonly expiresMs: number;
  readonly model: CompiledModel | null;
  /** A cheaper model, asked where `model` cannot answer in time. */
  readonly fallback?: CompiledModel;
  /** Models that score what is decided without deciding it. */
  readonly shadows?: readonly CompiledModel[];
  /** What is shown where nothing can be known of the subject: it takes nothing and asks nothing. */
  readonly defaultAction?: CompiledAction;
  /** Its own, and its channel's; absent: none. */
  readonly quietHours?: readonly QuietHours[];
  /** The feature that says whether there is a live session; absent: none is needed. */
  readonly liveFeature?: string;
  /** Of whatever is shown here: its own, and its channel's; absent: none. */
  readonly caps?: readonly CompiledCap[];
  /** In the order of the file; at most 200. */
  readonly actions: readonly CompiledAction[];
  /** Content hash of everything that decides here: actions, model, weights. The record's `policy`. */
  readonly policy: string;
}

interface Triggering {
  readonly name: string;
  readonly when: Expression<boolean> | null;
  readonly placement: CompiledPlacement;
}

/** At each event of a type. */
export interface EventTrigger extends Triggering {
  readonly kind: 'event';
  readonly on: string;
}

/** When a condition over the subject's features becomes true, or while it is. */
export interface ConditionTrigger extends Triggering {
  readonly kind: 'condition';
  readonly when: Expression<boolean>;
  /** Fires at every event while it holds, not only at the first. */
  readonly repeats: boolean;
  /** 0: none. */
  readonly cooldownMs: number;
}

/** When something has not followed something else in time. */
export interface AbsenceTrigger extends Triggering {
  readonly kind: 'absence';
  readonly after: string;
  readonly absent: ReadonlySet<string>;
  readonly withinMs: number;
  readonly where: Expression<boolean> | null;
  /** Property that both events share, or null. */
  readonly same: string | null;
}

/** When a session is over. */
export interface SessionEndTrigger extends Triggering {
  readonly kind: 'session_end';
}

export type CompiledTrigger = EventTrigger | ConditionTrigger | AbsenceTrigger | SessionEndTrigger;

/** What counts as success of a decision: which events, for how much, and for how long after it was shown. */
export interface CompiledMetric {
  readonly name: string;
  readonly types: readonly string[];
  readonly where: Expression<boolean> | null;
  /** The property that is its value; null: it has none. */
  readonly value: string | null;
  /** Decimal places kept of it. */
  readonly scale: number;
  /** Property by which several events are one; null: a person's message id. */
  readonly oncePer: string | null;
  /** Property that names the decision; null: none does. */
  readonly decision: string | null;
  readonly windowMs: number;
  readonly timeoutMs: number;
}

export interface CompiledOutcomes {
  /** A shown offer without an answer for so long was ignored. */
  readonly timeoutMs: number;
  /** For reported conversions. */
  readonly windowMs: number;
  /** Decimal places kept of a reported value. */
  readonly scale: number;
  readonly metrics: readonly CompiledMetric[];
}

/** A workspace that has been read, checked and compiled: everything in it refers to something that exists. */
export interface CompiledWorkspace {
  readonly source: WorkspaceSource;
  readonly name: string;
  /** Absolute path of its folder. */
  readonly folder: string;
  /** Content hash of the definition and of the models it names. */
  readonly hash: string;
  readonly tenants: ReadonlyMap<
    string,
    { readonly name: string; readonly currency: string; readonly timezone: string }
  >;
  readonly eventsAreOpen: boolean;
  readonly types: ReadonlyMap<string, CompiledEventType>;
  /** Each subject's own. */
  readonly features: readonly CompiledFeature[];
  /** Those that all subjects of a tenant share; a ratio of two of them stands after both. */
  readonly shared: readonly CompiledFeature[];
  readonly placements: ReadonlyMap<string, CompiledPlacement>;
  readonly triggers: readonly CompiledTrigger[];
  readonly triggersByType: ReadonlyMap<string, readonly EventTrigger[]>;
  readonly models: ReadonlyMap<string, CompiledModel>;
  readonly outcomes: CompiledOutcomes;
  readonly scoringBudgetMs: number;
  readonly deduplicationIds: number;
  readonly deduplicationMs: number;
  readonly sessionGapMs: number;
  /** How long after it is due, in event time, a timer fires. */
  readonly timersDelayMs: number;
  /** Silence after which a subject is forgotten. */
  readonly stateTtlMs: number;
}
