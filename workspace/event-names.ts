import { type FeatureSource, systemTypes } from '../schemas/index.ts';
import type { Compiling } from './compile-context.ts';
import type { CelType, EventNames } from './expression-names.ts';
import { type Path, quote } from './problems.ts';
import { nearest } from './suggest.ts';

const celTypes = {
  string: 'string',
  number: 'double',
  boolean: 'bool',
  list: 'list',
  object: 'map',
} as const satisfies Readonly<Record<string, CelType>>;

type Properties = Compiling['source']['types'][string]['properties'];

/**
 * The properties that events of a type have, as far as a definition may read them; null: not known here. That is so of
 * the engine's own types, of undeclared ones, of those whose declaration is itself wrong, and, where events are open,
 * of types that declare none.
 */
export function knownProperties({ source }: Compiling, type: string): Properties | null {
  const declared = Object.hasOwn(source.types, type) ? source.types[type] : undefined;
  if (declared === undefined) return null;
  return source.events === 'open' && Object.keys(declared.properties).length === 0
    ? null
    : declared.properties;
}

/** What `event.<property>` can be in an expression that meets events of these types; null = of every type. */
export function eventNames(compiling: Compiling, types: readonly string[] | null): EventNames {
  const properties = new Map<string, CelType>();
  let isOpen = types === null && compiling.source.events === 'open';
  for (const type of types ?? compiling.names.types) {
    const known = knownProperties(compiling, type);
    if (known === null) isOpen = true;
    for (const [property, propertyType] of Object.entries(known ?? {})) {
      const celType = celTypes[propertyType];
      const before = properties.get(property);
      properties.set(property, before === undefined || before === celType ? celType : 'dyn');
    }
  }
  return { properties, isOpen };
}

/** `on: session_end` in a trigger is no event type. */
export const sessionEnd = 'session_end';

const readableSystemTypes: ReadonlySet<string> = new Set([
  systemTypes.exposure,
  systemTypes.outcome,
  systemTypes.session,
]);

/** Reports an event type that nothing declares: in a closed workspace no such event can come. */
export function checkEventType(compiling: Compiling, type: string, path: Path): void {
  const { source, names, report } = compiling;
  if (type.startsWith('$')) {
    if (readableSystemTypes.has(type)) return;
    const expected = [...readableSystemTypes].join(', ');
    report(path, `expected an event type, or one of ${expected}, but found ${quote(type)}`, {
      suggestion: nearest(type, readableSystemTypes),
    });
    return;
  }
  if (source.events === 'open' || names.types.has(type)) return;
  report(path, `expected a declared event type (events are closed) but found ${quote(type)}`, {
    suggestion: nearest(type, names.types),
  });
}

/** The event types that a feature's definition names, steps of a sequence included. */
function typesOf(feature: FeatureSource): readonly string[] {
  if ('of' in feature) return [feature.of].flat();
  return feature.kind === 'sequence' ? feature.steps.flatMap((step) => step.of) : [];
}

/** Event types that the workspace mentions and does not declare: allowed where events are open, and worth a look. */
export function undeclaredTypes(source: Compiling['source']): readonly string[] {
  const mentioned = [
    ...Object.values(source.features).flatMap(typesOf),
    ...Object.values(source.triggers).flatMap(({ on, after, absent }) =>
      [on === sessionEnd ? [] : (on ?? []), after ?? [], absent ?? []].flat(),
    ),
    ...Object.values(source.outcomes?.metrics ?? {}).flatMap((metric) => [metric.of].flat()),
  ];
  return [...new Set(mentioned)].filter(
    (type) => type !== '*' && !type.startsWith('$') && !Object.hasOwn(source.types, type),
  );
}
