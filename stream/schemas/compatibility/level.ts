import { differencesBetween } from './compare.ts';
import type { Difference, JsonSchema } from './difference.ts';

/** What a change may break, by the names that registries use. */
export const compatibilityLevels = [
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
  'NONE',
] as const;
export type CompatibilityLevel = (typeof compatibilityLevels)[number];

export interface Incompatibility extends Difference {
  readonly direction: 'backward' | 'forward';
  /** The earlier version that it breaks with. */
  readonly version: number;
}

export interface SchemaVersion {
  readonly version: number;
  readonly schema: JsonSchema;
}

/**
 * What is wrong with `next` after these versions, oldest first. BACKWARD: the new schema reads what was written under
 * the last one; FORWARD: the last one reads what is written under the new; FULL: both; _TRANSITIVE: with every version.
 */
export function incompatibilities(
  level: CompatibilityLevel,
  history: readonly SchemaVersion[],
  next: JsonSchema,
): readonly Incompatibility[] {
  if (level === 'NONE') return [];
  const earlier = level.endsWith('_TRANSITIVE') ? history : history.slice(-1);
  const found: Incompatibility[] = [];
  for (const { version, schema } of earlier) {
    if (!level.startsWith('FORWARD')) {
      found.push(
        ...differencesBetween(schema, next).map((one) => ({
          ...one,
          direction: 'backward' as const,
          version,
        })),
      );
    }
    if (!level.startsWith('BACKWARD')) {
      found.push(
        ...differencesBetween(next, schema).map((one) => ({
          ...one,
          direction: 'forward' as const,
          version,
        })),
      );
    }
  }
  return found;
}

/** `properties.price: was number and is now string (new schema can't read version 2)`. */
export function describeIncompatibility({ path, reason, direction, version }: Incompatibility): string {
  const where = path === '' ? '' : `${path}: `;
  const who =
    direction === 'backward'
      ? `the new schema can't read what version ${version} wrote`
      : `version ${version} can't read what the new schema writes`;
  return `${where}${reason} (${who})`;
}
