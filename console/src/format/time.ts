const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `14:03:22`, local. */
export const formatClock = (at: number): string => clock.format(at);

/** `14:03`, local. */
export const formatMinute = (at: number): string => minute.format(at);

/** `14:03:22.104`, local: where order within a second matters. */
export const formatClockMs = (at: number): string =>
  `${clock.format(at)}.${String(((at % 1_000) + 1_000) % 1_000).padStart(3, '0')}`;

/** The clock alone for today, with the day for this year, with the year for any other. */
export function formatMoment(at: number, now: number): string {
  const then = new Date(at);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) return formatClock(at);
  return `${(then.getFullYear() === today.getFullYear() ? day : dayAndYear).format(at)}, ${formatClock(at)}`;
}

/** `2026-03-01 13:03:22.104 UTC`. */
export function formatUtc(at: number): string {
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) return 'no valid time';
  return `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}
