import { subjectEvents } from '../../sinks/clickhouse/index.ts';
import { conditionSql, quoted } from '../../stream/features/sql/index.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import type { Ask } from './port.ts';

/** Those conditions of the workspace that SQL can't tell. */
export const untranslated = (features: readonly CompiledFeature[]): string[] => [
  ...new Set(
    features
      .flatMap(partsOf)
      .flatMap(({ where }) => (where === null || conditionSql(where.text) !== null ? [] : [where.text])),
  ),
];

/** The steps of a sequence, each as if it were a feature; any other feature is itself. */
const partsOf = (feature: CompiledFeature): readonly CompiledFeature[] =>
  feature.steps.length === 0 ? [feature] : feature.steps.map((step) => ({ ...feature, ...step }));

interface Row {
  readonly partition: number;
  readonly position: number;
  readonly id: string;
  readonly properties: string;
}

/**
 * The SQL of each feature's condition. What SQL can't tell the engine's own expression decides, over the rows, and SQL
 * gets the places in the log where it holds: there the condition itself is not checked, everything else is.
 */
export async function conditionsFor(
  features: readonly CompiledFeature[],
  points: string,
  ask: Ask,
): Promise<(feature: CompiledFeature) => string | null> {
  const texts = untranslated(features);
  const held = new Map<string, string>();
  for (const text of texts) {
    const readers = features.flatMap(partsOf).filter(({ where }) => where?.text === text);
    held.set(text, await placesWhere(readers, points, ask));
  }
  return ({ where }) => (where === null ? null : (held.get(where.text) ?? conditionSql(where.text)));
}

async function placesWhere(readers: readonly CompiledFeature[], points: string, ask: Ask): Promise<string> {
  const where = readers[0]?.where;
  const types = readers.every((feature) => feature.types !== null)
    ? `WHERE type IN (${[...new Set(readers.flatMap((feature) => [...(feature.types ?? [])]))].map(quoted).join(', ')})`
    : '';
  const rows = await ask<Row>(
    `WITH points AS (${points}) SELECT partition, position, id, properties FROM (${subjectEvents('SELECT tenant, subject FROM points')}) ${types}`,
  );
  const held = rows.filter(({ properties }) => {
    const event = JSON.parse(properties) as Record<string, unknown>;
    const result = where?.evaluate({ features: {}, event, action: null, context: null });
    return result?.kind === 'value' && result.value;
  });
  // With the id: events that a subject took over all stand at one position.
  const places = held.map(({ partition, position, id }) => `(${partition},${position},${quoted(id)})`);
  return places.length === 0 ? 'false' : `((partition, position, id) IN (${places.join(',')}))`;
}
