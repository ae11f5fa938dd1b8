import { PresageError } from '../core/index.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** Who may still be decided for at once. */
export interface Admission {
  /** Throws PresageError `too_many_requests` (retriable): nothing was decided. `leave` once, when it is answered. */
  enter(): { readonly isOverloaded: boolean; leave(): void };
}

export interface AdmissionLimits {
  /** Above so many in hand, models are left out: what is in hand waits for the processor or the store already. */
  readonly lowerAt: number;
  /** So many are taken in at most; what one holds in memory is its body and its record. */
  readonly most: number;
}

export const admissionLimits: AdmissionLimits = { lowerAt: 256, most: 1_024 };

export function makeAdmission(
  limits: AdmissionLimits = admissionLimits,
  metrics?: RequestMetrics,
): Admission {
  let inHand = 0;
  return {
    enter() {
      if (inHand >= limits.most) {
        metrics?.refused.inc();
        throw new PresageError(
          'too_many_requests',
          `${limits.most} decisions are in hand already, so this one was not made; try again in a second.`,
          { retriable: true },
        );
      }
      inHand += 1;
      metrics?.inHand.set(inHand);
      return {
        isOverloaded: inHand > limits.lowerAt,
        leave() {
          inHand -= 1;
          metrics?.inHand.set(inHand);
        },
      };
    },
  };
}
