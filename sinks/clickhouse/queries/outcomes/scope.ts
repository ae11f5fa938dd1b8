import type { CompiledOutcomes } from '../../../../workspace/index.ts';

/** Which decisions are asked about, and as of when. Times are Unix milliseconds. */
export interface OutcomeScope {
  /** null = all tenants, each by itself. */
  readonly tenant: string | null;
  /** Decisions that were made from here on, and before `to`. */
  readonly from: number;
  readonly to: number;
  /** What had reached the log by then counts; it also is the time by which an answer is waited for. */
  readonly at: number;
  /** Those of simulated visitors, or those of all others; null = both, told apart. */
  readonly simulated: boolean | null;
}

export type QueryParameters = Readonly<Record<string, unknown>>;

/** A repeat of an event is known as one for this long, in event time, in front of the decisions that are asked about. */
const repeatsMs = 30 * 86_400_000;
/** Exposures are stamped by another clock than decisions. */
const slackMs = 86_400_000;

/** Parameters that the queries of this folder share. */
export const scopeParameters = ({ tenant, from, to, at, simulated }: OutcomeScope): QueryParameters => ({
  ...(tenant === null ? {} : { tenant }),
  ...(simulated === null ? {} : { simulated }),
  from,
  to,
  at,
  exposed_from: from - slackMs,
  events_from: from - repeatsMs,
});

/** Of a tenant, where one is named. */
export const ofTenant = ({ tenant }: OutcomeScope): string =>
  tenant === null ? 'true' : 'tenant = {tenant:String}';

export const ofSimulated = ({ simulated }: OutcomeScope): string =>
  simulated === null ? 'true' : 'simulated = {simulated:Bool}';

/** Unix milliseconds of a column of time. */
export const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`;

/** Metrics that every decision has: its acceptance, and conversions that were reported for it. */
export const builtInMetrics = ['accepted', 'converted'] as const;

/** Names, in the order of the file, the two that every decision has first. */
export const metricNames = ({ metrics }: CompiledOutcomes): readonly string[] => [
  ...builtInMetrics,
  ...metrics.map(({ name }) => name),
];

/** Decimal places of a metric's value. */
export const scaleOf = ({ metrics, scale }: CompiledOutcomes, metric: string): number =>
  metric === 'accepted' ? 0 : (metrics.find(({ name }) => name === metric)?.scale ?? scale);
