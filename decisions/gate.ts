import type { Verdict } from '../schemas/index.ts';
import type { CompiledAction } from '../workspace/index.ts';

/**
 * The last stage: an action with a gate is executed only with enough calibrated confidence that it is right. Null: it
 * may be. Nothing calibrates that confidence yet, and without calibration nothing is confident.
 */
export function gate({ gate: needed }: Pick<CompiledAction, 'gate'>): Verdict | null {
  if (needed === null) return null;
  return {
    stage: 'gate',
    rule: `not confident: ${needed.target} needs ${needed.threshold}`,
    saw: { confidence: null, threshold: needed.threshold },
  };
}
