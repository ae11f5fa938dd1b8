import { PresageError } from '../../core/index.ts';
import { type ByAction, isWhole, problemOfMap } from '../log/decision.ts';
import type { DecisionLog } from '../log/decision-log.ts';
import type { Distribution, Policy } from './policy.ts';

/** Numbers by action, the same for every context; by position, or one for all. */
export type Table = { readonly all: ByAction } | { readonly byPosition: ReadonlyMap<string, ByAction> };

/**
 * A table from JSON: a matrix of positions x items, where the row of position "0" comes first and the column of action
 * "0"; one such row for all positions; an object by action; or an object by position of objects by action. `what` says
 * whether they are probabilities, each row of which sums to 1, or expected rewards. Throws `table_unusable`.
 */
export function parseTable(json: unknown, what: 'probabilities' | 'expected rewards', name: string): Table {
  const areProbabilities = what === 'probabilities';
  const checked = (value: unknown, where: string): ByAction => {
    const row = Array.isArray(value) ? Object.fromEntries(value.map((one, k) => [String(k), one])) : value;
    const problem = problemOfMap(row, areProbabilities);
    if (problem === null) return row as ByAction;
    const hint =
      areProbabilities && Array.isArray(value) && !isWhole(sumOf(value))
        ? ' A row is a position and a column an item, not the other way round.'
        : '';
    throw new PresageError('table_unusable', `${name}: ${where}${problem}.${hint}`);
  };
  const isRow = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((one) => typeof one !== 'object');
  if (typeof json !== 'object' || json === null || Object.keys(json).length === 0)
    throw new PresageError(
      'table_unusable',
      `${name}: expected ${what} as a matrix of positions x items, or an object by action.`,
    );
  if (isRow(json)) return { all: checked(json, '') };
  const rows = Object.entries(json).map(
    ([position, row]) => [position, checked(row, `position ${position}: `)] as const,
  );
  return { byPosition: new Map(rows) };
}

/** A table as numbers of a log's actions. Throws `table_unusable` where the log has a position that it lacks. */
export function rowsOfTable(table: Table, log: DecisionLog, name: string): readonly Distribution[] {
  const compiled = (row: ByAction): Distribution => {
    const entries = Object.entries(row);
    return {
      actions: Int32Array.from(entries, ([action]) => log.actions.numberOf(action)),
      probabilities: Float64Array.from(entries, ([, value]) => value),
    };
  };
  if ('all' in table) {
    const row = compiled(table.all);
    return log.positions.map(() => row);
  }
  return log.positions.map((position) => {
    const row = table.byPosition.get(position);
    if (row !== undefined) return compiled(row);
    throw new PresageError(
      'table_unusable',
      `${name}: the log has position "${position}", and the file has ${[...table.byPosition.keys()].map((one) => `"${one}"`).join(', ')}.`,
    );
  });
}

export function policyOfTable(table: Table, log: DecisionLog, name: string): Policy {
  const rows = rowsOfTable(table, log, name);
  return { name, at: (row) => rows[log.position[row] as number] as Distribution };
}

const sumOf = (values: readonly unknown[]): number =>
  values.reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);
