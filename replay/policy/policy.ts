import type { DecisionLog } from '../log/decision-log.ts';
import type { SparseRows } from '../log/sparse.ts';

/** Probabilities of some actions, by their numbers in the log; of all others it is 0. */
export interface Distribution {
  readonly actions: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
}

/** The policy whose value is asked for: what it would do at each row of a log. */
export interface Policy {
  readonly name: string;
  /** It is the policy that made the log: nothing has to be weighted. */
  readonly isOfLog?: boolean;
  at(row: number): Distribution;
}

/** What the policy of the log did: its estimates are the log's own means. */
export function loggedPolicy(log: DecisionLog): Policy {
  const probabilities = [1];
  return {
    name: 'as logged',
    isOfLog: true,
    at: (row) => ({ actions: [log.action[row] as number], probabilities }),
  };
}

/** The distributions that stand in the rows themselves. */
export function policyOfRows(rows: SparseRows, name: string): Policy {
  return {
    name,
    at: (row) => {
      const from = rows.starts[row] as number;
      const to = rows.starts[row + 1] as number;
      return { actions: rows.actions.subarray(from, to), probabilities: rows.values.subarray(from, to) };
    },
  };
}

/** Always the same action, by its number. */
export function constantPolicy(action: number, name: string): Policy {
  const always: Distribution = { actions: [action], probabilities: [1] };
  return { name, at: () => always };
}

/** The action that `choose` names for a row. */
export function choosingPolicy(choose: (row: number) => number, name: string): Policy {
  const probabilities = [1];
  return { name, at: (row) => ({ actions: [choose(row)], probabilities }) };
}

export function probabilityOf({ actions, probabilities }: Distribution, action: number): number {
  for (let k = 0; k < actions.length; k++) if (actions[k] === action) return probabilities[k] as number;
  return 0;
}
