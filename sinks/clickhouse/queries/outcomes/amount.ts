/** Whole units of 10^-scale as an exact decimal: ('-1234', 2) -> '-12.34'. */
export function amountOf(units: string | number, scale: number): string {
  const whole = BigInt(units);
  if (scale === 0) return whole.toString();
  const digits = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, '0');
  return `${whole < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
