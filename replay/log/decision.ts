/** A probability or a value for each of some actions. */
export type ByAction = Readonly<Record<string, number>>;

export type ContextValue = string | number | boolean | null;

/** One logged choice of one action, as a mapping module makes it of a row. */
export interface LoggedDecision {
  readonly action: string;
  /** The probability with which the policy of the log chose `action` here: in a slate, given its earlier slots. */
  readonly propensity: number;
  readonly reward: number;
  /** In a slate: the probability of `action` at this position whatever stands before it, where that is known. */
  readonly marginal?: number;
  /** Whose decision it is; subjects that repeat are resampled whole. */
  readonly subject?: string;
  /** Rows of one slate were shown together. */
  readonly slate?: string;
  /** The slot; '0' where there is only one. Slots of a slate follow each other in the order of their numbers. */
  readonly position: string;
  /** What could have been chosen; else all that the log has at this position. */
  readonly actions?: readonly string[];
  /** The whole distribution of the log's policy. */
  readonly propensities?: ByAction;
  /** The distribution of the policy that is to be estimated; in a slate, given the earlier slots. */
  readonly policy?: ByAction;
  /** Expected rewards by a model from elsewhere. */
  readonly expected?: ByAction;
  /** What the model of the reward may learn from. */
  readonly context?: Readonly<Record<string, ContextValue>>;
  /** It was made where nothing could be drawn, so it says nothing of other policies. */
  readonly deterministic: boolean;
}

/** What is wrong with what a mapping module returned. */
export interface NotADecision {
  readonly problem: string;
}

/** Checks a mapping module's value; says what was expected where it is not a decision. Never throws. */
export function readDecision(value: unknown): LoggedDecision | NotADecision {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: 'the mapping returned something that is not a decision' };
  const given = value as Record<string, unknown>;
  const action = nameOf(given.action);
  if (action === null) return expected('action', 'a name or a number', given.action);
  const deterministic = given.deterministic === true;
  const propensity = given.propensity;
  if (!isProbability(propensity)) return expected('propensity', 'a number above 0 and at most 1', propensity);
  const { reward, marginal } = given;
  if (!isNumber(reward)) return expected('reward', 'a number', reward);
  if (marginal !== undefined && !isProbability(marginal))
    return expected('marginal', 'a number above 0 and at most 1', marginal);
  const position = given.position === undefined ? '0' : nameOf(given.position);
  if (position === null) return expected('position', 'a name or a number', given.position);
  for (const name of ['propensities', 'policy', 'expected'] as const) {
    const problem = given[name] === undefined ? null : problemOfMap(given[name], name !== 'expected');
    if (problem !== null) return { problem: `${name}: ${problem}` };
  }
  const { actions, context } = given;
  if (actions !== undefined && !Array.isArray(actions)) return expected('actions', 'a list', actions);
  if (context !== undefined && (typeof context !== 'object' || context === null))
    return expected('context', 'an object', context);
  const subject = nameOf(given.subject);
  const slate = nameOf(given.slate);
  return {
    action,
    propensity,
    reward,
    position,
    deterministic,
    ...(marginal === undefined ? {} : { marginal }),
    ...(subject === null ? {} : { subject }),
    ...(slate === null ? {} : { slate }),
    ...(actions === undefined ? {} : { actions: actions.map(String) }),
    ...(given.propensities === undefined ? {} : { propensities: given.propensities as ByAction }),
    ...(given.policy === undefined ? {} : { policy: given.policy as ByAction }),
    ...(given.expected === undefined ? {} : { expected: given.expected as ByAction }),
    ...(context === undefined ? {} : { context: context as Readonly<Record<string, ContextValue>> }),
  };
}

/** null: it is a map of numbers (of probabilities) by action. */
export function problemOfMap(value: unknown, areProbabilities: boolean): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `expected an object of numbers by action, got ${shown(value)}`;
  let sum = 0;
  for (const [action, one] of Object.entries(value)) {
    if (!isNumber(one) || (areProbabilities && (one < 0 || one > 1 + 1e-9)))
      return `${action}: expected ${areProbabilities ? 'a probability' : 'a number'}, got ${shown(one)}`;
    sum += one;
  }
  return areProbabilities && !isWhole(sum)
    ? `its probabilities sum to ${Number(sum.toPrecision(6))}, not to 1`
    : null;
}

/** Files have rounded probabilities; a sum further off than this is another mistake. */
export const isWhole = (sum: number): boolean => Math.abs(sum - 1) <= 0.01;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isProbability = (value: unknown): value is number => isNumber(value) && value > 0 && value <= 1 + 1e-9;

function nameOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return isNumber(value) ? String(value) : null;
}

const expected = (name: string, what: string, got: unknown): NotADecision => ({
  problem: `${name}: expected ${what}, got ${shown(got)}`,
});

const longestShown = 60;

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, longestShown)) : String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}...` : text;
}
