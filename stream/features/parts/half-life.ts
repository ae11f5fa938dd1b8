import { addAmount } from './decimal.ts';

/** A weight is a whole number of this many to one, so that sums of weighted amounts are exact in any order. */
export const weightUnit = 2 ** 20;

const ln2 = Math.LN2;
const terms = 18;

/**
 * 2^x for |x| <= 1, right to 2 units in the last place: its Taylor series. Math.pow differs between machines, and
 * what is computed from the same log must not.
 */
export function powerOfTwo(x: number): number {
  const y = x * ln2;
  let sum = 1;
  for (let n = terms; n > 0; n--) sum = 1 + (sum * y) / n;
  return sum;
}

/** What is left of 1 after so many half-lives, from 0 to 30. */
export function halved(halfLives: number): number {
  const whole = Math.floor(halfLives);
  return powerOfTwo(whole - halfLives) / (1 << whole);
}

/** Adds amount x weight to the sum at `at`, exactly: an amount has up to 52 bits and a weight 21. */
export function addWeighted(sums: number[], at: number, amount: number, weight: number): void {
  const product = amount * weight;
  if (Math.abs(product) < 2 ** 52) {
    addAmount(sums, at, product);
    return;
  }
  const sign = amount < 0 ? -1 : 1;
  const size = Math.abs(amount);
  const upper = Math.floor(size / 2 ** 26);
  const ofUpper = upper * weight;
  const beyond = Math.floor(ofUpper / 2 ** 26);
  addAmount(sums, at, sign * (size - upper * 2 ** 26) * weight);
  addAmount(sums, at, sign * (ofUpper - beyond * 2 ** 26) * 2 ** 26);
  sums[at + 1] = (sums[at + 1] ?? 0) + sign * beyond;
}
