export interface FtrlOptions {
  /** Learning rate: per coordinate, alpha / (beta + sqrt(sum of squared gradients)). */
  readonly alpha: number;
  readonly beta: number;
  readonly l1: number;
  readonly l2: number;
}

/**
 * FTRL-Proximal with per-coordinate learning rates: McMahan et al. 2013, "Ad click prediction: a view from the
 * trenches", algorithm 1. A coordinate's weight is the minimum of (sum of gradients) w + half the sum of
 * (w - earlier weights)^2, each weighted by how the rate fell, + l1 |w| + (beta / alpha + l2) w^2 / 2: so rare
 * coordinates learn fast, and those that bring nothing stay exactly 0.
 */
export class Ftrl {
  readonly #z: Float64Array;
  readonly #n: Float64Array;
  readonly #options: FtrlOptions;

  constructor(size: number, options: FtrlOptions) {
    this.#z = new Float64Array(size);
    this.#n = new Float64Array(size);
    this.#options = options;
  }

  weight(coordinate: number): number {
    const z = this.#z[coordinate] ?? 0;
    const { alpha, beta, l1, l2 } = this.#options;
    if (Math.abs(z) <= l1) return 0;
    return -(z - Math.sign(z) * l1) / ((beta + Math.sqrt(this.#n[coordinate] ?? 0)) / alpha + l2);
  }

  /** Takes in the gradient of the loss at the present weight. */
  update(coordinate: number, gradient: number): void {
    const n = this.#n[coordinate] ?? 0;
    const grown = n + gradient * gradient;
    const sigma = (Math.sqrt(grown) - Math.sqrt(n)) / this.#options.alpha;
    this.#z[coordinate] = (this.#z[coordinate] ?? 0) + gradient - sigma * this.weight(coordinate);
    this.#n[coordinate] = grown;
  }

  weights(): Float64Array {
    return Float64Array.from(this.#z, (_, coordinate) => this.weight(coordinate));
  }
}
