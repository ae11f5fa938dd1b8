import type { CompiledWorkspace } from './compiled.ts';
import { compileExpression, type ExpressionResult } from './expression.ts';
import { featureTypes } from './feature-types.ts';

/** A condition as an action of this workspace could have it: it may read features, any event, the context. */
export function compileCondition(workspace: CompiledWorkspace, text: string): ExpressionResult<boolean> {
  const features = new Set(Object.keys(workspace.source.features));
  return compileExpression(text, 'bool', {
    features: featureTypes({ source: workspace.source, names: { features } }),
    event: { properties: new Map(), isOpen: true },
    action: null,
    context: true,
  });
}
