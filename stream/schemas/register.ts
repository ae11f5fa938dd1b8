import type { CompiledWorkspace } from '../../workspace/index.ts';
import { canonicalJson, type EventSchema, eventSchemas } from '../../workspace/index.ts';
import type { SchemaIds } from './framed-log.ts';
import type { SchemaRegistry } from './registry.ts';
import { type SubjectStrategy, subjectOf } from './subjects.ts';

/** A schema under the subject that it is registered as. */
export interface SubjectSchema {
  readonly subject: string;
  /** Event types that it is of; null: any. */
  readonly types: readonly string[] | null;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Naming {
  readonly strategy: SubjectStrategy;
  readonly topic: string;
}

/** The schemas of a workspace's events by subject; TopicNameStrategy puts all into one. */
export function subjectSchemas(schemas: readonly EventSchema[], naming: Naming): readonly SubjectSchema[] {
  const { strategy, topic } = naming;
  if (strategy !== 'TopicNameStrategy') {
    return schemas.map(({ type, name, schema }) => ({
      subject: subjectOf(strategy, topic, name),
      types: type === null ? null : [type],
      schema,
    }));
  }
  const types = schemas.flatMap(({ type }) => (type === null ? [] : [type]));
  const title = `${topic}-value`;
  const anyOf = schemas.map(({ schema }) => schema);
  const $schema = 'http://json-schema.org/draft-07/schema#';
  return [{ subject: subjectOf(strategy, topic, title), types, schema: { $schema, title, anyOf } }];
}

/** As it is registered: one text for equal content, so that registering twice is one version. */
export const schemaText = (schema: SubjectSchema['schema']): string => canonicalJson(schema);

/** Registers every schema, or finds it registered; returns the ids that values are framed with. */
export async function registerSchemas(
  registry: SchemaRegistry,
  workspace: Pick<CompiledWorkspace, 'source' | 'types'>,
  naming: Naming,
): Promise<SchemaIds> {
  const byHash = new Map<string, number>();
  let anyEvent = 0;
  for (const { subject, types, schema } of subjectSchemas(eventSchemas(workspace.source), naming)) {
    const id = await registry.register(subject, schemaText(schema));
    for (const type of types ?? []) {
      const hash = workspace.types.get(type)?.schemaHash;
      if (hash !== undefined) byHash.set(hash, id);
    }
    if (types === null || naming.strategy === 'TopicNameStrategy') anyEvent = id;
  }
  return { byHash, anyEvent };
}
