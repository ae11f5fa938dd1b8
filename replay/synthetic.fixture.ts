import type { Expected } from './estimators/modelled.ts';
import type { DecisionLog } from './log/decision-log.ts';
import { DecisionLogWriter } from './log/decision-log.ts';
import { type Policy, policyOfRows } from './policy/policy.ts';
import { type Random, seededRandom } from './random.ts';
import { expectedOf } from './reward/given.ts';

/** A small world whose values are known: some contexts, some actions, a chance of a reward for each pair. */
export interface World {
  readonly logging: readonly (readonly number[])[];
  readonly target: readonly (readonly number[])[];
  readonly chance: readonly (readonly number[])[];
  /** Of the target policy. */
  readonly value: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly contexts?: number;
  readonly actions?: number;
  /** How far the policies are from uniform and from each other. */
  readonly sharpness?: number;
  readonly leastChance?: number;
  readonly mostChance?: number;
}

export function worldOf(options: WorldOptions): World {
  const { seed, contexts = 5, actions = 4, sharpness = 1, leastChance = 0.05, mostChance = 0.5 } = options;
  const random = seededRandom(seed);
  const table = (of: () => readonly number[]): number[][] =>
    Array.from({ length: contexts }, () => [...of()]);
  const soft = (): number[] => {
    const scores = Array.from({ length: actions }, () => Math.exp(sharpness * (2 * random() - 1)));
    const sum = scores.reduce((total, one) => total + one, 0);
    return scores.map((one) => one / sum);
  };
  const logging = table(soft);
  const target = table(soft);
  const chance = table(() =>
    Array.from({ length: actions }, () => leastChance + (mostChance - leastChance) * random()),
  );
  const value = target.reduce(
    (sum, row, context) =>
      sum + row.reduce((part, p, action) => part + p * (chance[context]?.[action] as number), 0) / contexts,
    0,
  );
  return { logging, target, chance, value };
}

/** `rows` decisions of the world's logging policy. */
export function logOf(world: World, rows: number, seed: number): DecisionLog {
  const random = seededRandom(seed);
  const writer = new DecisionLogWriter();
  for (let row = 0; row < rows; row++) {
    const context = Math.floor(random() * world.logging.length);
    const logging = world.logging[context] as readonly number[];
    const action = drawn(logging, random);
    writer.add({
      action: String(action),
      position: '0',
      propensity: logging[action] as number,
      reward: random() < (world.chance[context]?.[action] as number) ? 1 : 0,
      policy: byName(world.target[context] as readonly number[]),
      expected: byName(world.chance[context] as readonly number[]),
      context: { context: String(context) },
      deterministic: false,
    });
  }
  return writer.finish();
}

export function targetOf(log: DecisionLog): Policy {
  return policyOfRows(log.policy as NonNullable<DecisionLog['policy']>, 'target');
}

/** The world's own chances as a model; `bend` makes a wrong one of it. */
export function modelOf(log: DecisionLog, bend: (chance: number) => number = (chance) => chance): Expected {
  const { at } = policyOfRows(log.expected as NonNullable<DecisionLog['expected']>, 'chances');
  return expectedOf(log, targetOf(log), (row) => {
    const { actions, probabilities } = at(row);
    return { actions, probabilities: Float64Array.from(probabilities as Float64Array, bend) };
  });
}

const byName = (values: readonly number[]): Record<string, number> =>
  Object.fromEntries(values.map((one, index) => [String(index), one]));

function drawn(probabilities: readonly number[], random: Random): number {
  let left = random();
  for (let action = 0; action < probabilities.length; action++) {
    left -= probabilities[action] as number;
    if (left < 0) return action;
  }
  return probabilities.length - 1;
}
