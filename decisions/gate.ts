import type { DecisionRecord, DecisionReview, Verdict } from '../schemas/index.ts';
import type { CompiledAction } from '../workspace/index.ts';
import { randomFrom } from './explore/random.ts';

/** What of a decision the gate looks at. */
export interface Judged {
  readonly id: string;
  /** Event time: the review's deadlines count from it. */
  readonly time: number;
  /** null: none was scored. */
  readonly acceptProbability: number | null;
  readonly model: DecisionRecord['model'];
}

export interface Judgement {
  /** Why it waits for a person; null: it may be executed. */
  readonly verdict: Verdict | null;
  readonly review: DecisionReview;
}

/**
 * The last stage: an action with a gate is executed only with enough calibrated confidence that it is right. Of those
 * that pass and can be taken back, a share is reviewed too, drawn from the decision's id: whoever learns from verdicts
 * would otherwise see only the doubtful ones. Null: the action has no gate. Nothing calibrates that confidence yet, and
 * without calibration nothing is confident.
 */
export function judge(
  { name, gate }: Pick<CompiledAction, 'name' | 'gate'>,
  { id, time }: Judged,
): Judgement | null {
  if (gate === null) return null;
  const { target, threshold } = gate;
  const confidence = null as number | null;
  const passes = confidence !== null && confidence >= threshold;
  const probability = passes ? (gate.isReversible ? gate.sample : 0) : 1;
  const isDrawn = passes && randomFrom(`review/${name}`, id).uniform() < probability;
  return {
    verdict: passes
      ? null
      : {
          stage: 'gate',
          rule: `not confident: ${target} needs ${threshold}`,
          saw: { confidence, threshold },
        },
    review: {
      reason: passes ? (isDrawn ? 'sample' : null) : 'gate',
      probability,
      confidence,
      threshold,
      escalatesAt: time + gate.escalateMs,
      expiresAt: time + gate.withinMs,
    },
  };
}
