import { type Look, looksOf } from './looks.ts';

export const valueTypes = ['string', 'number', 'boolean', 'list', 'object'] as const;
export type ValueType = (typeof valueTypes)[number];

/** What has been seen of one property; a few hundred bytes however many values there were. */
export interface PropertyProfile {
  /** Events that had it, null included. */
  present: number;
  nulls: number;
  readonly byType: Map<ValueType, number>;
  /** The first few different values, as they are shown. */
  readonly examples: Set<string>;
  /** Different values, counted up to `mostDistinct`. */
  readonly distinct: Set<string>;
  /** Values until there were that many different ones. */
  counted: number;
  least: number;
  greatest: number;
  /** Text that looks like something: an e-mail address, a number, a date. */
  readonly looks: Map<Look, number>;
}

export interface TypeProfile {
  seen: number;
  readonly properties: Map<string, PropertyProfile>;
  /** Events that had properties beyond `mostProperties`. */
  overflowing: number;
}

export interface EventProfile {
  readonly types: Map<string, TypeProfile>;
  /** Events of types beyond `mostTypes`. */
  overflowing: number;
}

/** Bounds of memory: a file may hold anything. */
export const mostTypes = 500;
export const mostProperties = 200;
export const mostDistinct = 200;
const mostExamples = 3;
const longestExample = 40;
const longestName = 256;

export const emptyProfile = (): EventProfile => ({ types: new Map(), overflowing: 0 });

/** Takes note of one event. */
export function observe(
  profile: EventProfile,
  type: string,
  properties: Readonly<Record<string, unknown>>,
): void {
  let found = profile.types.get(type);
  if (found === undefined) {
    if (profile.types.size >= mostTypes || type.length > longestName) {
      profile.overflowing++;
      return;
    }
    found = { seen: 0, properties: new Map(), overflowing: 0 };
    profile.types.set(type, found);
  }
  found.seen++;
  let isOverflowing = false;
  for (const [name, value] of Object.entries(properties)) {
    let property = found.properties.get(name);
    if (property === undefined) {
      if (found.properties.size >= mostProperties || name === '' || name.length > longestName) {
        isOverflowing = true;
        continue;
      }
      property = emptyProperty();
      found.properties.set(name, property);
    }
    observeValue(property, value);
  }
  if (isOverflowing) found.overflowing++;
}

const emptyProperty = (): PropertyProfile => ({
  present: 0,
  nulls: 0,
  byType: new Map(),
  examples: new Set(),
  distinct: new Set(),
  counted: 0,
  least: Number.POSITIVE_INFINITY,
  greatest: Number.NEGATIVE_INFINITY,
  looks: new Map(),
});

function observeValue(property: PropertyProfile, value: unknown): void {
  property.present++;
  const type = typeOf(value);
  if (type === null) {
    property.nulls++;
    return;
  }
  add(property.byType, type);
  if (typeof value === 'number') {
    property.least = Math.min(property.least, value);
    property.greatest = Math.max(property.greatest, value);
  }
  if (typeof value === 'string') for (const look of looksOf(value)) add(property.looks, look);
  if (property.distinct.size >= mostDistinct) return;
  property.counted++;
  const text = shown(value);
  property.distinct.add(text.length > longestName ? text.slice(0, longestName) : text);
  if (property.examples.size < mostExamples) {
    property.examples.add(text.length > longestExample ? `${text.slice(0, longestExample - 3)}...` : text);
  }
}

/** A mapping module may give what JSON can not hold; feed rejects that event, here its type is seen all the same. */
function shown(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '{...}';
  }
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** null: JSON null, or nothing that an event can hold. */
function typeOf(value: unknown): ValueType | null {
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return typeof value as 'string' | 'boolean';
    case 'number':
      return Number.isFinite(value) ? 'number' : null;
    case 'object':
      return value === null ? null : 'object';
    default:
      return null;
  }
}
