import { type Compiling, expressionAt } from './compile-context.ts';
import type { Expression } from './compiled.ts';
import { checkEventType, eventNames } from './event-names.ts';
import type { Path } from './problems.ts';

/** The event types that a feature or a step of one reads; null = every type that does not begin with `$`. */
export function compileOf(
  compiling: Compiling,
  of: string | readonly string[],
  path: Path,
): readonly string[] | null {
  if (of === '*') return null;
  const types = typeof of === 'string' ? [of] : of;
  types.forEach((type, index) => {
    const place = typeof of === 'string' ? path : [...path, index];
    if (type === '*') compiling.report(place, 'expected event types, or "*" alone for all of them');
    else checkEventType(compiling, type, place);
  });
  return types;
}

/** Its condition on them. */
export function compileWhere(
  compiling: Compiling,
  text: string | undefined,
  types: readonly string[] | null,
  path: Path,
): Expression<boolean> | null {
  if (text === undefined) return null;
  const event = eventNames(compiling, types);
  const names = { features: null, event, action: null, context: false };
  const where = expressionAt(compiling, path, text, 'bool', names);
  if (where?.reads.length === 0)
    compiling.report(path, 'expected a condition on the event but this reads nothing of it: leave it out');
  return where;
}
