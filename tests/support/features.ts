import type { FeatureValue } from '../../schemas/index.ts';
import { type FeatureConfig, type FeatureEvent, makeFeatureSet } from '../../stream/features/index.ts';
import type { CompiledFeature, Expression } from '../../workspace/index.ts';

/** A compiled feature by hand: what the workspace compiler would make of a short definition. */
export function feature(
  name: string,
  kind: CompiledFeature['kind'],
  rest: Partial<Omit<CompiledFeature, 'types'>> & { of?: readonly string[] } = {},
): CompiledFeature {
  const { of, ...given } = rest;
  const shape = {
    kind,
    where: null,
    bucketMs: 0,
    buckets: 0,
    property: null,
    propertyType: 'string' as const,
    scale: 4,
    by: null,
    keys: 32,
    n: 1,
    max: 100,
    measure: null,
    halfLifeMs: 0,
    precision: 0,
    windowMs: 0,
    withinMs: 0,
    steps: [],
    derived: null,
    ...given,
  };
  const steps = shape.steps.map((step) => [step.where?.text, ...(step.types ?? [])]);
  const hash = JSON.stringify([{ ...shape, where: shape.where?.text, steps }, of ?? null]);
  return { name, hash, types: of === undefined ? null : new Set(of), ...shape };
}

/** A configuration with the product's defaults. */
export function config(
  features: readonly CompiledFeature[],
  rest: Partial<Omit<FeatureConfig, 'features'>> = {},
): FeatureConfig {
  return { features, deduplicationIds: 1_024, deduplicationMs: 86_400_000, sessionGapMs: 1_800_000, ...rest };
}

/** A condition on an event's properties, as the compiler would make it. */
export function where(
  text: string,
  holds: (properties: Readonly<Record<string, unknown>>) => boolean | null,
): Expression<boolean> {
  return {
    text,
    reads: [],
    readsAction: false,
    evaluate: ({ event }) => {
      const value = holds(event ?? {});
      return value === null ? { kind: 'missing', name: text } : { kind: 'value', value };
    },
    saw: () => ({}),
  };
}

let made = 0;
/** An event; its id is unique unless given. */
export function event(time: number, rest: Partial<Omit<FeatureEvent, 'time'>> = {}): FeatureEvent {
  return { id: `e${made++}`, type: 'view', time, session: null, properties: {}, ...rest };
}

/** The value of one feature after these events, at a time (by default the newest event's); through a blob. */
export function valueAfter(
  one: CompiledFeature,
  events: readonly FeatureEvent[],
  at?: number,
  rest: Partial<Omit<FeatureConfig, 'features'>> = {},
): FeatureValue | undefined {
  const set = makeFeatureSet(config([one], rest));
  const state = set.empty();
  for (const [position, each] of events.entries()) set.update(state, each, position);
  return set.read(set.decode(set.encode(state)), at ?? state.newest)[one.name];
}
