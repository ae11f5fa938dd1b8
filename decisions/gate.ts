import {
  type DecisionRecord,
  type DecisionReview,
  leastLabels,
  type RightCalibration,
  type Verdict,
} from '../schemas/index.ts';
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
 * would otherwise see only the doubtful ones. Null: the action has no gate.
 */
export function judge(
  { name, gate }: Pick<CompiledAction, 'name' | 'gate'>,
  judged: Judged,
): Judgement | null {
  if (gate === null) return null;
  const { id, time } = judged;
  const { target, threshold, calibration } = gate;
  const labels = calibration?.labels ?? 0;
  const confidence = confidenceOf(calibration, judged);
  const passes = confidence !== null && confidence >= threshold;
  const probability = passes ? (gate.isReversible ? gate.sample : 0) : 1;
  const isDrawn = passes && randomFrom(`review/${name}`, id).uniform() < probability;
  return {
    verdict: passes
      ? null
      : {
          stage: 'gate',
          rule: `not confident: ${target} needs ${threshold}`,
          saw: { confidence, threshold, labels },
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

/**
 * The calibrated probability that the action is right. Null: nothing calibrates it, on too few labels, or for scores of
 * another model than the one that scored this: a lower rung of the ladder is not what people have looked at.
 */
function confidenceOf(
  calibration: RightCalibration | null,
  { acceptProbability, model }: Judged,
): number | null {
  if (calibration === null || calibration.labels < leastLabels || acceptProbability === null) return null;
  if (calibration.model !== (model?.sha256 ?? null)) return null;
  return along(calibration, acceptProbability);
}

/** Lines through the points, level before the first and after the last. */
function along({ x, y }: RightCalibration, at: number): number {
  const after = x.findIndex((value) => value >= at);
  const [x1 = 0, y1 = 0] = [x[after], y[after]];
  if (after < 0) return y.at(-1) ?? 0;
  if (after === 0) return y1;
  const [x0 = 0, y0 = 0] = [x[after - 1], y[after - 1]];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}
