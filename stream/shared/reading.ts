import type { FeatureValue, FeatureVector } from '../../schemas/index.ts';
import type { SharedValues } from './merge.ts';

/** Shared features as one decision reads them. */
export interface SharedReading {
  /** For expressions and models. Maps note which of their keys are asked for, and list only those. */
  readonly features: FeatureVector;
  readonly positions: SharedValues['positions'];
  readonly before?: number | undefined;
  /** What was read so far, for the record: numbers, and of maps the keys that were asked for. */
  seen(): FeatureVector;
}

/** `onMissed` hears of each key that a feature was asked for and has not, once for each reading. */
export function readShared(
  { features, positions, before }: Pick<SharedValues, 'features' | 'positions' | 'before'>,
  onMissed: (feature: string) => void = () => {},
): SharedReading {
  const asked = new Map<string, Set<string>>();
  const watched: Record<string, FeatureValue> = {};
  for (const [name, value] of Object.entries(features)) {
    if (!isMap(value)) {
      watched[name] = value;
      continue;
    }
    const keys = new Set<string>();
    asked.set(name, keys);
    const missed = new Set<string>();
    const note = (key: string | symbol): void => {
      if (typeof key !== 'string' || keys.has(key) || missed.has(key)) return;
      if (Object.hasOwn(value, key)) keys.add(key);
      // `toJSON` and the like are asked for by the machine, not by an expression.
      else if (!(key in value) && key !== 'toJSON') {
        missed.add(key);
        onMissed(name);
      }
    };
    watched[name] = new Proxy(value, {
      get: (target, key, receiver) => {
        note(key);
        return Reflect.get(target, key, receiver);
      },
      getOwnPropertyDescriptor: (target, key) => {
        note(key);
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
      // What traces and records list of it must not be every item there is.
      ownKeys: () => [...keys],
    });
  }
  return {
    features: watched,
    positions,
    before,
    seen: () =>
      Object.fromEntries(
        Object.entries(features).map(([name, value]) => [
          name,
          isMap(value)
            ? Object.fromEntries([...(asked.get(name) ?? [])].sort().map((key) => [key, value[key] ?? 0]))
            : value,
        ]),
      ),
  };
}

const isMap = (value: FeatureValue): value is Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
