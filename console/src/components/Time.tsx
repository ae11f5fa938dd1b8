import { formatClock, formatClockMs, formatMoment, formatUtc } from '../format/index.ts';

interface TimeProps {
  readonly at: number;
  /** `clock` leaves the day out, `ms` adds milliseconds; `moment` names the day where it isn't today. */
  readonly as?: 'clock' | 'ms' | 'moment';
}

/** A time as it is here, with UTC in the title. */
export function Time({ at, as = 'moment' }: TimeProps) {
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) return <span>no valid time</span>;
  const text =
    as === 'clock' ? formatClock(at) : as === 'ms' ? formatClockMs(at) : formatMoment(at, Date.now());
  return (
    <time dateTime={new Date(at).toISOString()} title={formatUtc(at)}>
      {text}
    </time>
  );
}
