/** What a person said of one decision. */
export interface RightLabel {
  /** What the model said of acceptance. */
  readonly score: number;
  readonly isRight: boolean;
  /** 1 / P(reviewed): one of few that were looked at stands for all like it. */
  readonly weight: number;
}

interface Pool {
  /** Sums of weights, of weighted scores, of weights of right ones; and of squared weights. */
  weight: number;
  score: number;
  right: number;
  squares: number;
}

/** A pool that stands for fewer labels than this, at equal weights, says too little by itself. */
const leastInPool = 50;

/**
 * P(right | score): weighted isotonic regression by pooling adjacent violators (Ayer et al. 1955), pools joined until
 * each has the information of 50 labels (effective number (sum w)^2 / sum w^2), and each drawn towards a half by two
 * labels (Laplace), so that a few that were all right are not certainty. Points by rising score.
 */
export function fitRight(labels: readonly RightLabel[]): { readonly x: number[]; readonly y: number[] } {
  const pools: Pool[] = [];
  const sorted = [...labels].sort((a, b) => a.score - b.score);
  for (const [index, { score, isRight, weight }] of sorted.entries()) {
    const one = { weight, score: weight * score, right: isRight ? weight : 0, squares: weight * weight };
    const last = pools.at(-1);
    if (last !== undefined && sorted[index - 1]?.score === score) join(last, one);
    else pools.push(one);
    settle(pools);
  }
  const joined = grow(pools);
  return { x: joined.map(middle), y: joined.map(shrunk) };
}

const effective = ({ weight, squares }: Pool): number => (weight * weight) / squares;
/** Its mean score; rounding must not lead out of what a probability is. */
const middle = ({ score, weight }: Pool): number => Math.min(1, Math.max(0, score / weight));
const rate = ({ right, weight }: Pool): number => right / weight;

function shrunk(pool: Pool): number {
  const n = effective(pool);
  return (rate(pool) * n + 1) / (n + 2);
}

function join(pool: Pool, other: Pool): void {
  pool.weight += other.weight;
  pool.score += other.score;
  pool.right += other.right;
  pool.squares += other.squares;
}

/** While the last two fall, they are one. */
function settle(pools: Pool[]): void {
  for (;;) {
    const [before, last] = pools.slice(-2);
    if (before === undefined || last === undefined || rate(before) < rate(last)) return;
    join(before, last);
    pools.pop();
  }
}

/** Neighbours become one until each says enough; then those that fall, by what they were drawn to a half. */
function grow(pools: readonly Pool[]): Pool[] {
  const grown: Pool[] = [];
  for (const pool of pools) {
    const last = grown.at(-1);
    if (last !== undefined && effective(last) < leastInPool) join(last, { ...pool });
    else grown.push({ ...pool });
  }
  const [before, last] = grown.slice(-2);
  if (before !== undefined && last !== undefined && effective(last) < leastInPool) {
    join(before, last);
    grown.pop();
  }
  const level: Pool[] = [];
  for (const pool of grown) {
    level.push(pool);
    for (;;) {
      const [left, right] = level.slice(-2);
      if (left === undefined || right === undefined) break;
      if (shrunk(left) < shrunk(right) && middle(left) < middle(right)) break;
      join(left, right);
      level.pop();
    }
  }
  return level;
}
