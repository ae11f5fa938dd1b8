import type { FeatureEvent } from '../../stream/features/port.ts';
import type { CompiledFeature } from '../../workspace/index.ts';

/** Which events a feature reads, and what it reads of them, for the reference. */
export function matches(feature: CompiledFeature, event: FeatureEvent): boolean {
  const isRightType = feature.types === null ? !event.type.startsWith('$') : feature.types.has(event.type);
  if (!isRightType) return false;
  if (feature.where !== null) {
    const result = feature.where.evaluate({
      features: {},
      event: event.properties,
      action: null,
      context: null,
    });
    if (result.kind !== 'value' || !result.value) return false;
  }
  if (feature.by !== null && asText(event.properties[feature.by]) === null) return false;
  const value = feature.property === null ? null : event.properties[feature.property];
  switch (feature.kind) {
    case 'sum':
    case 'min':
    case 'max':
    case 'mean':
      return typeof value === 'number';
    case 'decay':
      return feature.property === null || typeof value === 'number';
    case 'last':
      return feature.propertyType === 'number' ? typeof value === 'number' : asText(value) !== null;
    case 'last_n':
    case 'distinct':
    case 'approx_distinct':
    case 'top_k':
      return asText(value) !== null;
    default:
      return true;
  }
}

/** A double's shortest decimal, times 10^scale, rounded half away from zero; by text and BigInt alone. */
export function amount(value: unknown, scale: number): bigint {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)\.?(\d*)(?:e(.+))?$/.exec(String(value)) ?? [];
  const shift = scale + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const size = shift >= 0 ? digits * 10n ** BigInt(shift) : divide(digits, 10n ** BigInt(-shift));
  return sign === '-' ? -size : size;
}

const divide = (a: bigint, b: bigint): bigint => (2n * a + b) / (2n * b);

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

export const asText = (value: unknown): string | null =>
  ['string', 'number', 'boolean'].includes(typeof value) ? `${value}` : null;
