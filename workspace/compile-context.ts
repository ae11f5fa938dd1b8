import type { WorkspaceSource } from '../schemas/index.ts';
import type { Expression } from './compiled.ts';
import { compileExpression, type ResultTypes } from './expression.ts';
import type { ExpressionNames } from './expression-names.ts';
import { type Path, quote, type Report } from './problems.ts';
import { nearest } from './suggest.ts';

/** The parts of a workspace whose members have names. */
export const collections = [
  'tenants',
  'purposes',
  'types',
  'features',
  'placements',
  'channels',
  'groups',
  'actions',
  'triggers',
  'models',
] as const;
export type Collection = (typeof collections)[number];

/** What every part of the compiler is given. */
export interface Compiling {
  readonly source: WorkspaceSource;
  /** Names as the file has them, those of members whose own shape is wrong (and not in `source`) included. */
  readonly names: Readonly<Record<Collection, ReadonlySet<string>>>;
  readonly report: Report;
}

/** Reports a name that refers to nothing. true: it is there. */
export function refersTo(compiling: Compiling, collection: Collection, name: string, path: Path): boolean {
  const names = compiling.names[collection];
  if (names.has(name)) return true;
  const expected =
    names.size === 0 ? `but there are no ${collection}` : `expected the name of one of the ${collection}`;
  compiling.report(
    path,
    `${names.size === 0 ? `found ${quote(name)} ` : ''}${expected}${names.size === 0 ? '' : ` but found ${quote(name)}`}`,
    {
      suggestion: nearest(name, names),
    },
  );
  return false;
}

/** Compiles one expression and reports what is wrong with it, at its very place. null when something is. */
export function expressionAt<K extends keyof ResultTypes>(
  compiling: Compiling,
  path: Path,
  text: string,
  wants: K,
  names: ExpressionNames,
): Expression<ResultTypes[K]> | null {
  const result = compileExpression(text, wants, names);
  if (result.ok) return result.expression;
  for (const { message, offset, suggestion } of result.problems) {
    compiling.report(path, message, { offset, suggestion });
  }
  return null;
}
