import { type Compiling, expressionAt } from './compile-context.ts';
import type { CompiledRule, Expression, RuleStage } from './compiled.ts';
import type { ResultTypes } from './expression.ts';
import type { ExpressionNames } from './expression-names.ts';
import type { Path } from './problems.ts';

type Rules = Readonly<Partial<Record<'eligible' | 'applicable' | 'suitable', string | undefined>>>;

const stages: readonly (readonly [stage: RuleStage, key: keyof Rules])[] = [
  ['eligibility', 'eligible'],
  ['applicability', 'applicable'],
  ['suitability', 'suitable'],
];

/** Compiles the expressions of actions. */
export interface ActionExpressions {
  compile<K extends keyof ResultTypes>(
    path: Path,
    text: string,
    wants: K,
    names: ExpressionNames,
  ): Expression<ResultTypes[K]> | null;
}

/**
 * Equal expressions that read nothing of the candidate become one, so that a decision evaluates it once for all
 * candidates. A mistake in a group is reported once, however many actions are in it.
 */
export function actionExpressions(compiling: Compiling): ActionExpressions {
  const known = new Map<string, Expression<boolean | number>>();
  const reported = new Set<string>();
  const once: Compiling = {
    ...compiling,
    report: (path, message, options) => {
      const key = JSON.stringify([path, message, options?.offset]);
      if (reported.has(key)) return;
      reported.add(key);
      compiling.report(path, message, options);
    },
  };
  return {
    compile(path, text, wants, names) {
      // What an event may have depends on the placements, and with it how a value of it is read.
      const key = JSON.stringify([
        wants,
        text,
        names.event && [...names.event.properties],
        names.event?.isOpen,
      ]);
      const same = known.get(key);
      if (same !== undefined) return same as Expression<ResultTypes[typeof wants]>;
      const expression = expressionAt(once, path, text, wants, names);
      if (expression !== null && !expression.readsAction) known.set(key, expression);
      return expression;
    },
  };
}

/** The rules of an action: stage by stage, what its group asks before what it asks itself. */
export function compileRules(
  { source }: Compiling,
  action: string,
  names: ExpressionNames,
  expressions: ActionExpressions,
): readonly CompiledRule[] {
  const own = source.actions[action];
  const { group } = own ?? {};
  const places: readonly (readonly [path: readonly string[], rules: Rules | undefined])[] = [
    ...(group === undefined ? [] : [[['groups', group], source.groups?.[group]] as const]),
    [['actions', action], own],
  ];
  const rules: CompiledRule[] = [];
  for (const [stage, key] of stages) {
    for (const [place, texts] of places) {
      const text = texts?.[key];
      if (text === undefined) continue;
      const path = [...place, key];
      const expression = expressions.compile(path, text, 'bool', names);
      if (expression !== null) rules.push({ stage, expression, path });
    }
  }
  return rules;
}
