import type { Expected } from '../estimators/modelled.ts';
import type { DecisionLog } from '../log/decision-log.ts';
import { type Distribution, type Policy, policyOfRows } from '../policy/policy.ts';
import { rowsOfTable, type Table } from '../policy/table.ts';

/** Expected rewards that were brought along: of actions that they do not name, 0. */
export function expectedOf(
  log: DecisionLog,
  policy: Policy,
  rewards: (row: number) => Distribution,
): Expected {
  const logged = new Float64Array(log.rows);
  const underPolicy = new Float64Array(log.rows);
  // Filled and emptied again for each row: a look-up of an action is then one step.
  let byAction = new Float64Array(log.actions.list.length);
  for (let row = 0; row < log.rows; row++) {
    const { actions, probabilities: values } = rewards(row);
    if (byAction.length < log.actions.list.length) byAction = new Float64Array(log.actions.list.length);
    for (let k = 0; k < actions.length; k++) byAction[actions[k] as number] = values[k] as number;
    logged[row] = byAction[log.action[row] as number] as number;
    const drawn = policy.at(row);
    let sum = 0;
    for (let k = 0; k < drawn.actions.length; k++)
      sum += (drawn.probabilities[k] as number) * (byAction[drawn.actions[k] as number] as number);
    underPolicy[row] = sum;
    for (let k = 0; k < actions.length; k++) byAction[actions[k] as number] = 0;
  }
  return { logged, policy: underPolicy };
}

/** From a table of positions x items. */
export function expectedOfTable(log: DecisionLog, policy: Policy, table: Table, name: string): Expected {
  const rows = rowsOfTable(table, log, name);
  return expectedOf(log, policy, (row) => rows[log.position[row] as number] as Distribution);
}

/** From the rows themselves; null: they have none. */
export function expectedOfRows(log: DecisionLog, policy: Policy): Expected | null {
  return log.expected === null ? null : expectedOf(log, policy, policyOfRows(log.expected, 'expected').at);
}
