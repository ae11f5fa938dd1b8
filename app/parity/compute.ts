import { PresageError } from '../../core/index.ts';
import type { FeatureValue } from '../../schemas/index.ts';
import { subjectEvents } from '../../sinks/clickhouse/index.ts';
import { type FeatureQueryParts, featureQuery } from '../../stream/features/sql/index.ts';
import { conditionsFor } from './conditions.ts';
import type { ParityOptions, Served } from './port.ts';
import { pointsOf } from './sample.ts';

/** By decision and feature. */
export type Computed = ReadonlyMap<string, Readonly<Record<string, FeatureValue>>>;

/** Features computed by one query: bounds the length of its text. */
const featuresPerQuery = 40;

/** What a query may be too large in: time, memory, size of the result, length of its own text. */
const tooLarge = new Set(['sql_failed', 'sql_refused', 'invalid_request']);

/**
 * The features of these decisions from their subjects' events. Where one query of all is too much for ClickHouse's
 * limits the decisions are halved, down to one.
 */
export async function computeFeatures(
  options: ParityOptions,
  decisions: readonly Served[],
  asks: NonNullable<FeatureQueryParts['asks']>,
): Promise<Computed> {
  if (decisions.length === 0) return new Map();
  try {
    return await computeTogether(options, decisions, asks);
  } catch (error) {
    const isTooLarge = error instanceof PresageError && tooLarge.has(error.code);
    if (!isTooLarge || decisions.length === 1) throw error;
    const middle = decisions.length >> 1;
    const halves = [
      await computeFeatures(options, decisions.slice(0, middle), asks),
      await computeFeatures(options, decisions.slice(middle), asks),
    ];
    return new Map(halves.flatMap((half) => [...half]));
  }
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
