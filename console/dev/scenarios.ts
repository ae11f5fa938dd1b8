/** Situations that the pages must look right in. For development and tests only: nothing of dev/ is in the build. */
export const scenarios = [
  /** A shop with simulated visitors, all well. */
  'demo',
  /** Just started: nothing has come in. */
  'empty',
  /** The gateway never answers the API. */
  'loading',
  /** Every API answer is an error. */
  'error',
  /** Long names, large numbers, several tenants, roles that are not well, no simulated data. */
  'heavy',
  /** The stop switch is on. */
  'stopped',
  /** No cookie. */
  'signed-out',
] as const;
export type Scenario = (typeof scenarios)[number];

export const scenarioOf = (name: string): Scenario | null =>
  scenarios.find((known) => known === name) ?? null;
