import type { DecisionLog } from '../log/decision-log.ts';

/**
 * Where each coefficient of the reward model stands: a constant, each position, each action, each action at each
 * position, each column of the context, and each column of the context with each action.
 */
export interface Layout {
  readonly actions: number;
  readonly columns: number;
  readonly size: number;
  readonly ofPosition: number;
  readonly ofAction: number;
  readonly ofActionAtPosition: number;
  readonly ofColumn: number;
  /** -1: too many actions and columns for one each. */
  readonly ofColumnWithAction: number;
  readonly hasPositions: boolean;
}

/** More would be slow, and with so little data for each they would say nothing. */
const mostCrossed = 500_000;

export function layoutOf(log: DecisionLog): Layout {
  const actions = log.actions.list.length;
  const positions = log.positions.length;
  const columns = log.contexts.names.length;
  const hasPositions = positions > 1;
  const ofPosition = 1;
  const ofAction = ofPosition + (hasPositions ? positions : 0);
  const ofActionAtPosition = ofAction + actions;
  const ofColumn = ofActionAtPosition + (hasPositions ? positions * actions : 0);
  const end = ofColumn + columns;
  const isCrossed = columns > 0 && actions * columns <= mostCrossed;
  return {
    actions,
    columns,
    size: isCrossed ? end + actions * columns : end,
    ofPosition,
    ofAction,
    ofActionAtPosition,
    ofColumn,
    ofColumnWithAction: isCrossed ? end : -1,
    hasPositions,
  };
}

/** The linear predictor of a row without its action. */
export function commonPart(log: DecisionLog, layout: Layout, x: Float64Array, row: number): number {
  let sum = x[0] as number;
  if (layout.hasPositions) sum += x[layout.ofPosition + (log.position[row] as number)] as number;
  const { starts, columns, values } = log.contexts;
  for (let k = starts[row] as number; k < (starts[row + 1] as number); k++)
    sum += (x[layout.ofColumn + (columns[k] as number)] as number) * (values[k] as number);
  return sum;
}

/** What an action adds to it. An action that the model has not met adds nothing. */
export function actionPart(
  log: DecisionLog,
  layout: Layout,
  x: Float64Array,
  row: number,
  action: number,
): number {
  if (action >= layout.actions) return 0;
  let sum = x[layout.ofAction + action] as number;
  if (layout.hasPositions)
    sum += x[layout.ofActionAtPosition + (log.position[row] as number) * layout.actions + action] as number;
  if (layout.ofColumnWithAction < 0) return sum;
  const { starts, columns, values } = log.contexts;
  const from = layout.ofColumnWithAction + action * layout.columns;
  for (let k = starts[row] as number; k < (starts[row + 1] as number); k++)
    sum += (x[from + (columns[k] as number)] as number) * (values[k] as number);
  return sum;
}

/** Adds `error` times the row's features to a gradient. */
export function addFeatures(
  log: DecisionLog,
  layout: Layout,
  row: number,
  error: number,
  gradient: Float64Array,
): void {
  const add = (place: number, amount: number): void => {
    gradient[place] = (gradient[place] as number) + amount;
  };
  const action = log.action[row] as number;
  add(0, error);
  add(layout.ofAction + action, error);
  if (layout.hasPositions) {
    const position = log.position[row] as number;
    add(layout.ofPosition + position, error);
    add(layout.ofActionAtPosition + position * layout.actions + action, error);
  }
  const { starts, columns, values } = log.contexts;
  const crossed = layout.ofColumnWithAction + action * layout.columns;
  for (let k = starts[row] as number; k < (starts[row + 1] as number); k++) {
    const column = columns[k] as number;
    const amount = error * (values[k] as number);
    add(layout.ofColumn + column, amount);
    if (layout.ofColumnWithAction >= 0) add(crossed + column, amount);
  }
}
