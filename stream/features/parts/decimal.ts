import { putBig, putSigned, type Reader, readBig, readSigned } from './bytes.ts';

/**
 * Exact decimals. An amount is a value times 10^scale, rounded half away from zero, as an integer below 2^52 (at
 * scale 4: 450 billion); a larger value is not usable and is left out, whatever came before it. Sums of amounts are
 * exact without limit: two numbers, `high * 2^52 + low` with low in [-2^51, 2^51), which is one way only to write
 * each integer, so that equal sums are equal bytes.
 */
const powers = Array.from({ length: 16 }, (_, scale) => 10 ** scale);
const largest = 2 ** 52;
const half = 2 ** 51;

export const powerOf = (scale: number): number => powers[scale] ?? 10 ** scale;

/** The amount of a value, or NaN if it is not finite or too large. Rounds the decimal as written: 1.005 -> 1.01. */
export function amountOf(value: number, scale: number): number {
  const scaled = Math.abs(value) * powerOf(scale);
  if (!(scaled < largest)) return Number.NaN;
  const nearest = Math.round(scaled);
  // 1.005 * 100 is 100.49999999999999: where binary error could decide, the shortest decimal text decides instead.
  const unsure = 0.5 - Math.abs(scaled - nearest) <= scaled * 2 ** -50;
  const amount = unsure ? roundText(Math.abs(value), scale) : nearest;
  if (amount >= largest) return Number.NaN;
  if (amount === 0) return 0;
  return value < 0 ? -amount : amount;
}

function roundText(value: number, scale: number): number {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + scale;
  if (point < 0) return 0;
  const kept = Number(digits.slice(0, point).padEnd(point, '0'));
  return digits.charCodeAt(point) >= 0x35 ? kept + 1 : kept;
}

/** Adds an amount (or another sum's low part) to the sum at `at` (low) and `at + 1` (high). */
export function addAmount(sums: number[], at: number, amount: number): void {
  const low = (sums[at] ?? 0) + amount;
  if (low >= half) carry(sums, at, low - largest, 1);
  else if (low < -half) carry(sums, at, low + largest, -1);
  else sums[at] = low;
}

function carry(sums: number[], at: number, low: number, by: number): void {
  sums[at] = low;
  sums[at + 1] = (sums[at + 1] ?? 0) + by;
}

/** The nearest double of a sum. */
export function numberOf(low: number, high: number): number {
  return high === 0 ? low : Number(BigInt(high) * BigInt(largest) + BigInt(low));
}

/** Writes a sum into at most `mostBigBytes` bytes (parts/bytes.ts); returns the place behind it. */
export function putSum(bytes: Buffer, at: number, low: number, high: number): number {
  if (high === 0) return putSigned(bytes, at, low);
  return putBig(bytes, at, BigInt(high) * BigInt(largest) + BigInt(low));
}

/** Appends low and high to `sums`. */
export function readSum(reader: Reader, sums: number[]): void {
  if (isShort(reader)) {
    sums.push(readSigned(reader), 0);
    return;
  }
  const total = readBig(reader) + BigInt(half);
  const high = total >> 52n;
  sums.push(Number(total - (high << 52n)) - half, Number(high));
}

/** Seven bytes hold 48 bits: certainly a low part alone. */
function isShort(reader: Reader): boolean {
  for (let i = 0; i < 7; i++) if ((reader.bytes[reader.at + i] ?? 0) < 0x80) return true;
  return false;
}
