/** Numbers in [0, 1) that a seed fixes: sfc32 (PractRand's small fast counter), whose period is at least 2^32. */
export type Random = () => number;

export function seededRandom(seed: number): Random {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // Seeds that differ in one bit begin alike; a few rounds part them.
  for (let round = 0; round < 15; round++) next();
  return next;
}
