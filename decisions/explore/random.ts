import { contentId } from '../../core/index.ts';

/** Draws of one decision, in order: the same salt and id give the same draws. */
export interface Random {
  /** In (0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded with 128 bits of SHA-256 over salt and id. */
export function randomFrom(salt: string, id: string): Random {
  const seed = contentId('draw', salt, id);
  let [a = 0, b = 0, c = 0, counter = 0] = [0, 8, 16, 24].map((at) =>
    Number.parseInt(seed.slice(at, at + 8), 16),
  );
  const bits = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  const uniform = (): number => ((bits() >>> 5) * 67_108_864 + (bits() >>> 6) + 0.5) / 9_007_199_254_740_992;
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
