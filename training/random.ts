/** Draws that a seed repeats on every machine (sfc32 by Chris Doty-Humphrey, PractRand). */
export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** Whole, in [0, below). */
  below(count: number): number;
  /** Shuffles in place (Fisher-Yates). */
  shuffle(order: Int32Array): void;
}

export function randomFrom(seed: number): Random {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const uniform = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i++) uniform();
  const below = (count: number): number => Math.floor(uniform() * count);
  return {
    uniform,
    below,
    shuffle(order) {
      for (let i = order.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const kept = order[i] ?? 0;
        order[i] = order[j] ?? 0;
        order[j] = kept;
      }
    },
  };
}
