export interface Objective {
  /** The value at `x`; writes the gradient into `gradient`. */
  evaluate(x: Float64Array, gradient: Float64Array): number;
}

const remembered = 8;

/**
 * Minimises a smooth convex function from where `x` is, in place: limited-memory BFGS (Nocedal 1980) with a line search
 * that halves until the function falls enough (Armijo). Stops when no part of the gradient is larger than `steepest`.
 */
export function minimise(objective: Objective, x: Float64Array, steepest: number, mostSteps = 200): void {
  const size = x.length;
  let gradient = new Float64Array(size);
  let value = objective.evaluate(x, gradient);
  const moves: { step: Float64Array; change: Float64Array; inverse: number }[] = [];
  for (let iteration = 0; iteration < mostSteps; iteration++) {
    if (gradient.every((one) => Math.abs(one) <= steepest)) return;
    const direction = directionOf(gradient, moves);
    const slope = dot(direction, gradient);
    if (!(slope < 0)) return;
    const next = new Float64Array(size);
    const nextGradient = new Float64Array(size);
    let length = moves.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1;
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < 40; halving++, length /= 2) {
      for (let k = 0; k < size; k++) next[k] = (x[k] as number) + length * (direction[k] as number);
      nextValue = objective.evaluate(next, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) break;
    }
    if (!(nextValue < value)) return;
    const step = new Float64Array(size);
    const change = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      step[k] = (next[k] as number) - (x[k] as number);
      change[k] = (nextGradient[k] as number) - (gradient[k] as number);
    }
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) {
      moves.push({ step, change, inverse: 1 / curvature });
      if (moves.length > remembered) moves.shift();
    }
    x.set(next);
    gradient = nextGradient;
    value = nextValue;
  }
}

/** The two-loop recursion: minus the gradient times what is known of the inverse Hessian. */
function directionOf(
  gradient: Float64Array,
  moves: readonly { step: Float64Array; change: Float64Array; inverse: number }[],
): Float64Array {
  const direction = gradient.map((one) => -one);
  const shares = new Float64Array(moves.length);
  for (let m = moves.length - 1; m >= 0; m--) {
    const { step, change, inverse } = moves[m] as (typeof moves)[number];
    shares[m] = inverse * dot(step, direction);
    add(direction, -(shares[m] as number), change);
  }
  const last = moves.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.inverse * dot(last.change, last.change));
    for (let k = 0; k < direction.length; k++) direction[k] = (direction[k] as number) * scale;
  }
  moves.forEach(({ step, change, inverse }, m) => {
    add(direction, (shares[m] as number) - inverse * dot(change, direction), step);
  });
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}

function add(to: Float64Array, factor: number, what: Float64Array): void {
  for (let k = 0; k < to.length; k++) to[k] = (to[k] as number) + factor * (what[k] as number);
}
