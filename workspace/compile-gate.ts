import type { WorkspaceSource } from '../schemas/index.ts';
import type { Compiling } from './compile-context.ts';
import type { CompiledGate } from './compiled.ts';
import { durationMs } from './duration.ts';
import type { Path } from './problems.ts';

const day = 86_400_000;
const mostWithinMs = 7 * day;

export interface ReviewRules {
  readonly withinMs: number;
  readonly escalateMs: number;
  readonly sample: number;
}

/** How people review; the same for all actions with a gate. */
export function compileReview({ source, report }: Compiling): ReviewRules {
  const { within = '1h', escalate = '15m', sample = 0.02 } = source.review ?? {};
  const withinMs = durationMs(within);
  const escalateMs = durationMs(escalate);
  if (withinMs > mostWithinMs) report(['review', 'within'], `expected at most 7d but found ${within}`);
  if (escalateMs >= withinMs)
    report(['review', 'within'], `expected escalate (${escalate}) to be shorter than within (${within})`);
  return { withinMs, escalateMs, sample };
}

/** What moves money, changes an account or states a fact always has a gate; what only informs has none. */
export function compileGate(
  { report }: Compiling,
  {
    effect = 'informs',
    gate,
    reversible,
  }: Pick<WorkspaceSource['actions'][string], 'effect' | 'gate' | 'reversible'>,
  path: Path,
  review: ReviewRules & Pick<CompiledGate, 'calibration'>,
): CompiledGate | null {
  if (effect !== 'informs')
    return {
      target: 'right',
      threshold: gate?.threshold ?? 0.85,
      isReversible: reversible ?? false,
      ...review,
    };
  if (gate !== undefined) {
    report(
      [...path, 'gate'],
      'expected no gate for an action that only informs; say what it does with effect: moves_money, changes_account or states_fact',
    );
  }
  if (reversible !== undefined)
    report([...path, 'reversible'], 'expected it only where an effect gives the action a gate');
  return null;
}
