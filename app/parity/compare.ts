import type { FeatureValue } from '../../schemas/index.ts';
import type { Bound } from '../../stream/features/sql/index.ts';
import type { DifferenceKind } from './port.ts';

/** How a served value differs from the computed one, or null. Absent and null are the same: no value. */
export function differenceOf(
  served: FeatureValue | undefined,
  computed: FeatureValue | undefined,
  bound: Bound | null,
): DifferenceKind | null {
  const a = served ?? null;
  const b = computed ?? null;
  if (a === null) return b === null ? null : 'missing';
  if (b === null) return 'extra';
  return isEqual(a, b, bound) ? null : 'mismatch';
}

function isEqual(a: FeatureValue, b: FeatureValue, bound: Bound | null): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    if (a === b) return true;
    return bound !== null && Math.abs(a - b) <= Math.max(bound.absolute, bound.relative * Math.abs(b));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (isList(a) || isList(b))
    return isList(a) && isList(b) && a.length === b.length && a.every((item, index) => item === b[index]);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key] ?? null, b[key] ?? null, bound))
  );
}

const isList = (value: FeatureValue): value is readonly string[] => Array.isArray(value);
