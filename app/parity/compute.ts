import type { FeatureValue } from '../../schemas/index.ts';
import { subjectEvents } from '../../sinks/clickhouse/index.ts';
import { type FeatureQueryParts, featureQuery } from '../../stream/features/sql/index.ts';
import { conditionsFor } from './conditions.ts';
import { inHalves } from './halve.ts';
import type { ParityOptions, Served } from './port.ts';
import { pointsOf } from './sample.ts';

/** By decision and feature. */
export type Computed = ReadonlyMap<string, Readonly<Record<string, FeatureValue>>>;

/** Features computed by one query: bounds the length of its text. */
const featuresPerQuery = 40;

/** The features of these decisions from their subjects' events. */
export async function computeFeatures(
  options: ParityOptions,
  decisions: readonly Served[],
  asks: NonNullable<FeatureQueryParts['asks']>,
): Promise<Computed> {
  const parts = await inHalves(decisions, (some) => computeTogether(options, some, asks));
  return new Map(parts.flatMap((part) => [...part]));
}

async function computeTogether(
  { workspace, ask }: ParityOptions,
  decisions: readonly Served[],
  asks: NonNullable<FeatureQueryParts['asks']>,
): Promise<Computed> {
  const computed = new Map<string, Record<string, FeatureValue>>(decisions.map(({ id }) => [id, {}]));
  const points = pointsOf(decisions);
  for (let from = 0; from < workspace.features.length; from += featuresPerQuery) {
    const features = workspace.features.slice(from, from + featuresPerQuery);
    const condition = await conditionsFor(features, points, ask);
    const query = featureQuery(
      { ...workspace, features },
      { points, events: subjectEvents('SELECT tenant, subject FROM points'), condition, asks },
    );
    for (const row of await ask<Record<string, FeatureValue>>(query.sql)) {
      const values = computed.get(decisions[Number(row.point)]?.id ?? '') ?? {};
      for (const { feature, column } of query.columns) values[feature.name] = row[column] ?? null;
    }
  }
  return computed;
}
