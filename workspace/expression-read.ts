import type { FeatureValue } from '../schemas/index.ts';
import type { Scope } from './compiled.ts';
import type { CelType } from './expression-names.ts';

export type Root = 'features' | 'event' | 'action' | 'context';

/** One value that an expression takes from its scope. */
export interface Read {
  readonly root: Root;
  /** Keys from the root: `event.cart.total` -> ['cart', 'total']. At least one. */
  readonly keys: readonly string[];
  /** `has(...)`: reads whether there is a value, and is itself never missing. */
  readonly asksPresence: boolean;
  /** As written: `cart_value`, `event.cart.total`, `views_by_category["shoes"]`. */
  readonly name: string;
  /** The declared name it starts from: `event.cart`, `views_by_category`. */
  readonly origin: string;
  readonly type: CelType;
  /** The variable of the translated expression that stands for it. */
  readonly variable: string;
}

/** The value that a read finds, or undefined when it is missing (absent or null). Never throws. */
export function valueAt(read: Read, scope: Scope): unknown {
  let value: unknown = scope[read.root];
  for (const key of read.keys) {
    // Own properties only: events come from strangers, and `event.constructor` is no property of theirs.
    const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
    if (!isMap || !Object.hasOwn(value as object, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value === null ? undefined : value;
}

const longestShown = 200;

/** A value as a trace can hold it: lists and maps that are no feature values become short JSON text. */
export function shown(value: unknown): FeatureValue {
  if (value === undefined || value === null) return null;
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return value;
    case 'string':
      return value.slice(0, longestShown);
    case 'object':
      break;
    default:
      return String(value);
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value as readonly string[];
  const isNumbers =
    !Array.isArray(value) && Object.values(value).every((member) => typeof member === 'number');
  if (isNumbers) return value as Readonly<Record<string, number>>;
  return JSON.stringify(value).slice(0, longestShown);
}
