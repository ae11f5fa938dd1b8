/** Where a clock on the wall stands. */
export interface LocalTime {
  /** Days since 1970-01-01 of the local date. */
  readonly day: number;
  /** Minutes since local midnight, 0 to 1439. */
  readonly minute: number;
}

const quarterMs = 900_000;
const dayMs = 86_400_000;
/** All that are in use at once; a zone that comes again is looked up again. */
const mostZones = 600;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  quarter: number;
  local: LocalTime;
}
const zones = new Map<string, Zone | null>();

/** Local time in an IANA zone; null: there is no such zone. Every zone's offset changes at quarters of an hour only. */
export function localTime(timezone: string, at: number): LocalTime | null {
  const zone = zoneOf(timezone);
  if (zone === null) return null;
  const quarter = Math.floor(at / quarterMs);
  if (zone.quarter !== quarter) {
    zone.local = read(zone.format, quarter * quarterMs);
    zone.quarter = quarter;
  }
  return { day: zone.local.day, minute: zone.local.minute + Math.floor((at - quarter * quarterMs) / 60_000) };
}

function zoneOf(timezone: string): Zone | null {
  const known = zones.get(timezone);
  if (known !== undefined) return known;
  if (zones.size >= mostZones) zones.clear();
  const zone = makeZone(timezone);
  zones.set(timezone, zone);
  return zone;
}

function makeZone(timeZone: string): Zone | null {
  if (timeZone.length > 64) return null;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    return { format, quarter: Number.NaN, local: { day: 0, minute: 0 } };
  } catch {
    return null;
  }
}

function read(format: Intl.DateTimeFormat, at: number): LocalTime {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0 } = parts;
  return { day: Math.floor(Date.UTC(year, month - 1, day) / dayMs), minute: hour * 60 + minute };
}
