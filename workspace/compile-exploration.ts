import type { Compiling } from './compile-context.ts';
import { expressionAt } from './compile-context.ts';
import type { CompiledAction, CompiledPlacement } from './compiled.ts';
import type { CelType, EventNames, ExpressionNames } from './expression-names.ts';

/** How many actions a placement shows, what nothing is worth there, and how it explores. */
export function compileExploration(
  compiling: Compiling,
  placement: string,
  actions: readonly CompiledAction[],
  features: ReadonlyMap<string, CelType>,
  event: EventNames | null,
): Pick<CompiledPlacement, 'slots' | 'nothing' | 'exploration'> {
  const source = compiling.source.placements[placement];
  if (source === undefined) return {};
  const path = ['placements', placement];
  const { slots = 1, nothing, exploration } = source;
  const names: ExpressionNames = { features, event, action: null, context: true };
  const compiled: { -readonly [K in 'slots' | 'nothing' | 'exploration']?: CompiledPlacement[K] } = {};
  if (slots > 1) compiled.slots = slots;
  if (typeof nothing === 'string') {
    const worth = expressionAt(compiling, [...path, 'nothing'], nothing, 'number', names);
    if (worth !== null) compiled.nothing = worth;
  } else if (nothing !== undefined) {
    if (nothing > 0) compiled.nothing = nothing;
    else compiling.report([...path, 'nothing'], `expected a number above 0 but found ${nothing}`);
  }
  if (exploration === undefined) return compiled;
  if (exploration.kind !== 'thompson') return { ...compiled, exploration };
  const ofCandidate = { ...names, action: sharedAttributes(actions) };
  const belief = (key: 'alpha' | 'beta') =>
    expressionAt(compiling, [...path, 'exploration', key], exploration[key], 'number', ofCandidate);
  const [alpha, beta] = [belief('alpha'), belief('beta')];
  if (alpha === null || beta === null) return compiled;
  return { ...compiled, exploration: { kind: 'thompson', alpha, beta, floor: exploration.floor } };
}

/** Attributes that every action of the placement has, by their type; those of several types are read as they come. */
function sharedAttributes(actions: readonly CompiledAction[]): ReadonlyMap<string, CelType> {
  const [first, ...others] = actions;
  const shared = new Map<string, CelType>();
  for (const [name, value] of Object.entries(first?.attributes ?? {})) {
    if (!others.every(({ attributes }) => Object.hasOwn(attributes, name))) continue;
    const isSame = others.every(({ attributes }) => typeof attributes[name] === typeof value);
    shared.set(name, !isSame ? 'dyn' : typeof value === 'string' ? 'string' : 'double');
  }
  return shared;
}
