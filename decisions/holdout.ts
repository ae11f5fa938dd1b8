import { contentId } from '../core/index.ts';
import type { HoldoutArm } from '../schemas/index.ts';
import type { CompiledHoldout } from '../workspace/index.ts';

/**
 * The arm of a person at a time: by a hash of the first subject as which it was seen, in a namespace of its own, so that
 * it has nothing to do with any draw of a policy, and stays the same when an anonymous id becomes a user. A person who
 * was seen as subjects of both arms is in the first one's, and mixed.
 */
export function holdoutArm(
  holdout: CompiledHoldout,
  tenant: string,
  subject: string,
  seenAs: readonly string[],
  time: number,
): HoldoutArm {
  const period = periodOf(holdout.period, time);
  const armOf = (one: string): HoldoutArm['arm'] =>
    lotOf(contentId('holdout', holdout.salt, tenant, period, one)) < holdout.share ? 'held_out' : 'offered';
  const unit = seenAs[0] ?? subject;
  const arm = armOf(unit);
  const isMixed = seenAs.some((one) => armOf(one) !== arm);
  return { arm, period, share: holdout.share, unit, ...(isMixed ? { isMixed } : {}) };
}

/** In [0, 1), of the first 52 bits. */
const lotOf = (hash: string): number => Number.parseInt(hash.slice(0, 13), 16) / 2 ** 52;

function periodOf(period: CompiledHoldout['period'], time: number): string {
  const date = new Date(time);
  switch (period) {
    case 'month':
      return date.toISOString().slice(0, 7);
    case 'quarter':
      return `${date.getUTCFullYear()}-Q${Math.floor(date.getUTCMonth() / 3) + 1}`;
    case 'fixed':
      return 'fixed';
  }
}
