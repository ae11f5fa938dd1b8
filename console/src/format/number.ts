const locale = 'en';
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 });
const plain = new Intl.NumberFormat(locale, { maximumSignificantDigits: 6 });

/** A figure and its unit, apart, so that the unit can be set smaller. */
export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

export const nothing = '–';

/** `12,345`. */
export const formatCount = (count: number): string => whole.format(count);

/** `12,345` up to a million, then `1.23M`: for places of fixed width. */
export const formatCompact = (count: number): string =>
  Math.abs(count) < 100_000 ? whole.format(count) : compact.format(count);

/** A rate per second: one decimal below 10 (unless it is a whole number), none above. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return '<0.1';
  return perSecond < 9.95 && !Number.isInteger(perSecond)
    ? oneDigit.format(perSecond)
    : formatCompact(perSecond);
}

/** Three significant digits and the unit that suits: `0.42 ms`, `38 ms`, `1.2 s`, `3.4 min`. */
export function formatDuration(ms: number | null): Quantity {
  if (ms === null || !Number.isFinite(ms)) return { value: nothing, unit: 'ms' };
  const size = Math.abs(ms);
  if (size < 0.005) return { value: ms === 0 ? '0' : '<0.01', unit: 'ms' };
  if (size < 999.5) return { value: significant(ms, size < 9.95 ? 2 : 3), unit: 'ms' };
  if (size < 119_500) return { value: significant(ms / 1_000, 3), unit: 's' };
  if (size < 7_170_000) return { value: significant(ms / 60_000, 3), unit: 'min' };
  if (size < 172_000_000) return { value: significant(ms / 3_600_000, 3), unit: 'h' };
  return { value: significant(ms / 86_400_000, 3), unit: 'd' };
}

export function durationText(ms: number | null): string {
  const { value, unit } = formatDuration(ms);
  return `${value} ${unit}`;
}

/** `12.4%`; small probabilities keep two significant digits. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent === 0) return '0%';
  if (percent < 0.01) return '<0.01%';
  return `${percent < 1 ? significant(percent, 2) : percent.toFixed(1)}%`;
}

/** A number as people read it: at most six significant digits, no exponent for what is usual. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(2);
  return Number.isInteger(value) ? whole.format(value) : plain.format(value);
}

/** A factor or a priority: four significant digits. */
export const formatFactor = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(2) : significant(value, 4);

/** `€8.00`; a currency that the browser doesn't know is written behind the number. */
export function formatMoney(value: number, currency: string | null): string {
  if (currency === null) return formatNumber(value);
  try {
    return new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      minimumFractionDigits: 2,
      maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2,
    }).format(value);
  } catch {
    return `${formatNumber(value)} ${currency}`;
  }
}

/** `3 events`, `1 event`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

function significant(value: number, digits: number): string {
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: digits }).format(value);
}
