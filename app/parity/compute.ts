import type { FeatureValue } from '../../schemas/index.ts';
import { subjectEvents } from '../../sinks/clickhouse/index.ts';
import { type FeatureQueryParts, featureQuery, quoted } from '../../stream/features/sql/index.ts';
import { conditionsFor } from './conditions.ts';
import { inHalves } from './halve.ts';
import type { ParityOptions, Served } from './port.ts';
import { pointsOf } from './sample.ts';

/** By decision and feature. */
export type Computed = ReadonlyMap<string, Readonly<Record<string, FeatureValue>>>;

/** Features computed by one query: bounds the length of its text. */
const featuresPerQuery = 40;

/**
 * The features of these decisions from their subjects' events; with `since`, by decision, from those at or after this
 * position. Of one subject it must be the same for all.
 */
export async function computeFeatures(
  options: ParityOptions,
  decisions: readonly Served[],
  asks: NonNullable<FeatureQueryParts['asks']>,
  since: ReadonlyMap<string, number> = new Map(),
): Promise<Computed> {
  const parts = await inHalves(decisions, (some) => computeTogether(options, some, asks, since));
  return new Map(parts.flatMap((part) => [...part]));
}

async function computeTogether(
  { workspace, ask }: ParityOptions,
  decisions: readonly Served[],
  asks: NonNullable<FeatureQueryParts['asks']>,
  since: ReadonlyMap<string, number>,
): Promise<Computed> {
  const computed = new Map<string, Record<string, FeatureValue>>(decisions.map(({ id }) => [id, {}]));
  const points = pointsOf(decisions);
  const events = eventsSince(decisions, since);
  for (let from = 0; from < workspace.features.length; from += featuresPerQuery) {
    const features = workspace.features.slice(from, from + featuresPerQuery);
    const condition = await conditionsFor(features, points, ask);
    const query = featureQuery({ ...workspace, features }, { points, events, condition, asks });
    for (const row of await ask<Record<string, FeatureValue>>(query.sql)) {
      const values = computed.get(decisions[Number(row.point)]?.id ?? '') ?? {};
      for (const { feature, column } of query.columns) values[feature.name] = row[column] ?? null;
    }
  }
  return computed;
}

function eventsSince(decisions: readonly Served[], since: ReadonlyMap<string, number>): string {
  const events = subjectEvents('SELECT tenant, subject FROM points');
  if (since.size === 0) return events;
  const begins = new Map(
    decisions.map(({ id, tenant, subject }) => [
      `(${quoted(tenant)}, ${quoted(subject)}, ${since.get(id) ?? 0})`,
      true,
    ]),
  );
  const positions = `SELECT x.1 AS tenant, x.2 AS subject, toInt64(x.3) AS since FROM (SELECT arrayJoin([${[...begins.keys()].join(', ')}]) AS x)`;
  const columns = ['partition', 'position', 'time', 'type', 'id', 'session', 'properties'];
  return `SELECT e.tenant AS tenant, e.subject AS subject, ${columns.map((name) => `e.${name} AS ${name}`).join(', ')}
    FROM (${events}) AS e INNER JOIN (${positions}) AS s ON e.tenant = s.tenant AND e.subject = s.subject
    WHERE e.position >= s.since`;
}
