import type { ReviewSummary } from '../../../../schemas/index.ts';
import { formatPercent } from '../../format/index.ts';

const minute = 60_000;

/** How long is left: `12 min`, `3 h 5 min`; under a minute in seconds. */
export function timeLeft(until: number, now: number): string {
  const left = until - now;
  if (left <= 0) return 'over';
  if (left < minute) return `${Math.ceil(left / 1_000)} s`;
  const minutes = Math.floor(left / minute);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** Why a person is asked. */
export function whyReviewed({ reason, confidence, threshold }: ReviewSummary): string {
  if (reason === 'sample')
    return `It passed its gate (${confidence === null ? 'no confidence' : formatPercent(confidence)} of ${formatPercent(threshold)}) and was executed. It was drawn to be looked at all the same.`;
  return confidence === null
    ? `Nothing says yet how sure we can be that it is right; ${formatPercent(threshold)} are needed.`
    : `We are ${formatPercent(confidence)} sure that it is right; ${formatPercent(threshold)} are needed.`;
}
