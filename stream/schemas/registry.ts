/** A schema as a registry keeps it. */
export interface RegisteredSchema {
  readonly type: 'JSON' | 'AVRO' | 'PROTOBUF';
  readonly text: string;
  /** Schemas that this one refers to, by the name it uses. */
  readonly references: ReadonlyMap<string, string>;
}

export interface RegisteredVersion {
  readonly version: number;
  readonly text: string;
}

/**
 * What we need of a Confluent-compatible schema registry. Throws PresageError: `registry_unavailable` (retriable),
 * `registry_refused` (credentials), `schema_incompatible`, `registry_failed`.
 */
export interface SchemaRegistry {
  /** null: the registry has no such id. */
  schemaById(id: number): Promise<RegisteredSchema | null>;
  /** Registers a JSON Schema, or finds it there already; returns its id. */
  register(subject: string, schema: string): Promise<number>;
  /** The subject's versions, oldest first; none where the registry does not know it. */
  versions(subject: string): Promise<readonly RegisteredVersion[]>;
  /** Whether the registry would take this schema as the subject's next. */
  isCompatible(subject: string, schema: string): Promise<boolean>;
  setCompatibility(subject: string, level: string): Promise<void>;
}
