/** Numbers from 0 to 1, the same ones each time (xorshift32). */
export function makeRandom(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 0x1_0000_0000;
  };
}

/** Draws 0 to n - 1 with a probability in proportion to 1 / (rank + 1)^exponent. */
export function makeZipf(n: number, exponent: number, random: () => number): () => number {
  const cumulated = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += 1 / (i + 1) ** exponent;
    cumulated[i] = sum;
  }
  return () => {
    const drawn = random() * sum;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulated[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
