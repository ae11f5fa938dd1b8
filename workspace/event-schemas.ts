import { z } from 'zod';
import { storedEvent, type WorkspaceSource } from '../schemas/index.ts';

/** Whether the properties of a schema may be joined by others. */
export type ContentModel = 'closed' | 'open';

export interface EventSchema {
  /** The event type; null: of every event that no other schema fits. */
  readonly type: string | null;
  /** Its record name (the schema's title), which subjects are named after. */
  readonly name: string;
  /** JSON Schema, draft 7. */
  readonly schema: Readonly<Record<string, unknown>>;
}

const jsonTypes = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  list: 'array',
  object: 'object',
} as const;

/**
 * The JSON Schemas of a workspace's events as they stand in the log: the envelope, and for each declared type its
 * properties. Last comes the schema of any event, for undeclared types and for events with undeclared properties.
 */
export function eventSchemas(
  workspace: { readonly name: string; readonly types: WorkspaceSource['types'] },
  content: ContentModel = 'closed',
): readonly EventSchema[] {
  const declared = Object.entries(workspace.types).map(([type, { description, properties, required }]) => ({
    type,
    name: `${workspace.name}.${type}`,
    schema: envelope(`${workspace.name}.${type}`, description, {
      type: { type: 'string', const: type },
      properties: propertiesSchema(properties, new Set(required), content),
    }),
  }));
  return [
    ...declared,
    { type: null, name: anyEvent, schema: envelope(anyEvent, 'Any event of Presage.', {}) },
  ];
}

/** Record name of the schema that every event fits. */
export const anyEvent = 'presage.event';

function envelope(title: string, description: string | undefined, fields: Record<string, unknown>) {
  const { $schema, properties, ...rest } = z.toJSONSchema(storedEvent, {
    target: 'draft-7',
    reused: 'inline',
  });
  return {
    $schema,
    title,
    ...(description === undefined ? {} : { description }),
    ...rest,
    properties: { ...properties, ...fields },
  };
}

type Types = WorkspaceSource['types'][string]['properties'];

function propertiesSchema(types: Types, required: ReadonlySet<string>, content: ContentModel) {
  const properties = Object.entries(types).map(([property, type]) => [
    property,
    // JSON null is a property that the client had no value for; one that is required needs a value.
    { type: required.has(property) ? jsonTypes[type] : [jsonTypes[type], 'null'] },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.size > 0 ? { required: [...required].sort() } : {}),
    ...(content === 'closed' ? { additionalProperties: false } : {}),
  };
}
