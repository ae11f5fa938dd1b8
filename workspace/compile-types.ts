import type { WorkspaceSource } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import type { Compiling } from './compile-context.ts';
import type { CompiledEventType, TypeErrorInProperties } from './compiled.ts';
import { durationMs } from './duration.ts';
import { quote } from './problems.ts';
import { nearest } from './suggest.ts';

type EventType = WorkspaceSource['types'][string];
type PropertyType = EventType['properties'][string];

/** The declared event types, each with the check that ingest runs on an event's properties. */
export function compileTypes(compiling: Compiling): ReadonlyMap<string, CompiledEventType> {
  const { source, report } = compiling;
  const types = new Map<string, CompiledEventType>();
  for (const [name, type] of Object.entries(source.types)) {
    if (name.startsWith('$')) {
      report(['types', name], "expected a name that does not begin with $; those are the engine's own", {
        at: 'key',
      });
    }
    type.required.forEach((property, index) => {
      if (Object.hasOwn(type.properties, property)) return;
      report(
        ['types', name, 'required', index],
        `expected one of this type's properties but found ${quote(property)}`,
        {
          suggestion: nearest(property, Object.keys(type.properties)),
        },
      );
    });
    types.set(name, compileType(name, type));
  }
  return types;
}

function compileType(name: string, type: EventType): CompiledEventType {
  const required = [...new Set(type.required)].sort();
  const declared = Object.entries(type.properties).map(([property, expected]) => ({
    property,
    expected,
    isRequired: required.includes(property),
  }));
  return {
    name,
    schemaHash: contentHash('event type', { name, properties: type.properties, required }),
    latenessMs: durationMs(type.lateness),
    check(properties): TypeErrorInProperties | null {
      for (const { property, expected, isRequired } of declared) {
        const value = Object.hasOwn(properties, property) ? properties[property] : undefined;
        // JSON null is a property that the client had no value for.
        const isAbsent = value === undefined || value === null;
        if (isAbsent ? !isRequired : typeOf(value) === expected) continue;
        return { path: `properties.${property}`, expected, got: isAbsent ? 'nothing' : typeOf(value) };
      }
      return null;
    },
    declaresAll: (properties) =>
      Object.keys(properties).every((property) => Object.hasOwn(type.properties, property)),
  };
}

function typeOf(value: unknown): PropertyType | 'nothing' | 'something else' {
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return typeof value as 'string' | 'boolean';
    case 'number':
      return Number.isFinite(value) ? 'number' : 'something else';
    case 'object':
      return value === null ? 'nothing' : 'object';
    default:
      return 'something else';
  }
}
