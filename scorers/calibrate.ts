import type { Calibration } from '../schemas/index.ts';

/** As the manifest says: beyond it the log odds of a probability are no number to work with. */
const least = 1e-7;

/**
 * From a model's output p to a calibrated probability.
 * `platt`: sigmoid(a * ln(p / (1 - p)) + b). `isotonic`: straight lines through the points, level outside of them, as
 * scikit-learn's IsotonicRegression predicts with out_of_bounds="clip".
 */
export function calibrated(calibration: Calibration, probability: number): number {
  if (calibration.kind === 'platt') {
    const p = Math.min(Math.max(probability, least), 1 - least);
    return 1 / (1 + Math.exp(-(calibration.a * Math.log(p / (1 - p)) + calibration.b)));
  }
  return alongPoints(calibration.x, calibration.y, probability);
}

function alongPoints(x: readonly number[], y: readonly number[], at: number): number {
  let low = 0;
  let high = x.length - 1;
  if (at <= (x[low] ?? 0)) return y[low] ?? 0;
  if (at >= (x[high] ?? 0)) return y[high] ?? 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  const [x0 = 0, x1 = 1, y0 = 0, y1 = 0] = [x[low], x[high], y[low], y[high]];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}
