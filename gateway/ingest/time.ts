import { earliestEventTime, futureToleranceMs } from '../limits.ts';
import { type Checked, kept, nameOfType, refused, wrongType } from './reject.ts';

/** As `Date.prototype.toJSON` writes it. */
const usual = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
/** ISO 8601, a date or a date and time; parts: 1 date, 2 time, 3 zone. */
const iso =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/**
 * Event time in Unix ms from what a client sent: ISO 8601 (without a zone, UTC) or Unix ms; absent = `receivedAt`.
 * `skew`: how far ahead the client's clock is.
 * Refuses `bad_timestamp`, `time_out_of_range` (before 2000, or over 24 h after `receivedAt`), `wrong_type`.
 */
export function readTime(value: unknown, receivedAt: number, skew = 0): Checked<number> {
  if (value === undefined || value === null || value === '') return kept(receivedAt);
  if (typeof value !== 'number' && typeof value !== 'string')
    return wrongType('timestamp', 'ISO 8601 text or Unix milliseconds', nameOfType(value));
  const time = parseTime(value);
  if (Number.isNaN(time) && typeof value === 'string') {
    return refused(
      'bad_timestamp',
      `"${value.slice(0, 64)}" is no time: send ISO 8601, such as 2024-05-01T12:00:00Z, or Unix milliseconds.`,
      {
        path: 'timestamp',
      },
    );
  }
  return checkTime(time - skew, receivedAt);
}

/** Unix ms; NaN when it is no time. */
export function parseTime(value: unknown): number {
  if (typeof value === 'number') return Math.floor(value);
  return typeof value === 'string' ? parseIso(value) : Number.NaN;
}

/** Refuses `time_out_of_range`. */
export function checkTime(time: number, receivedAt: number): Checked<number> {
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15) {
    return refused('bad_timestamp', `${time} is no time in Unix milliseconds.`, { path: 'timestamp' });
  }
  if (time < earliestEventTime) {
    const hint = time > 1e8 && time < 1e10 ? ' Is it in seconds? Milliseconds are expected.' : '';
    return refused(
      'time_out_of_range',
      `The event's time is ${new Date(time).toISOString()}, before the year 2000.${hint}`,
      { path: 'timestamp' },
    );
  }
  if (time > receivedAt + futureToleranceMs) {
    return refused(
      'time_out_of_range',
      `The event's time is ${new Date(time).toISOString()}, more than 24 hours from now.`,
      { path: 'timestamp' },
    );
  }
  return kept(time);
}

/** NaN when it is no ISO 8601. */
function parseIso(text: string): number {
  // What every client library sends; the rest of the spellings cost three times as much.
  if (usual.test(text)) return Date.parse(text);
  const parts = iso.exec(text.trim());
  return parts === null ? Number.NaN : Date.parse(normalised(parts));
}

/** As Date.parse reads it everywhere: T between, a point for fractions, minutes in the zone, UTC where none is given. */
function normalised([, date = '', time, zone = 'Z']: RegExpExecArray): string {
  if (time === undefined) return `${date}T00:00:00Z`;
  const colon = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  return `${date}T${time.replace(',', '.')}${colon.toUpperCase()}`;
}
