import { type ColumnPlan, placesOf } from '../contrasts.ts';
import type { Graph } from './graph.ts';

/** Adds the columns of a plan, computed from the matrix `rows` of inputs; their name. Each difference is rounded once. */
export function addColumns(graph: Graph, inputs: readonly string[], plan: ColumnPlan, rows: string): string {
  const { kept, places } = placesOf(inputs, plan);
  const plain =
    kept.length === inputs.length
      ? rows
      : graph.add('Gather', [rows, graph.int64('kept', [kept.length], kept)], 'plain', { axis: 1 });
  if (places.length === 0) return plain;
  const size = [places.length];
  const column = (name: string, indexes: readonly number[]): string =>
    graph.add('Gather', [rows, graph.int64(`${name}_at`, size, indexes)], name, { axis: 1 });
  const of = column(
    'contrasted',
    places.map((place) => place.of),
  );
  const minus = column(
    'against',
    places.map((place) => place.minus),
  );
  const least = graph.float(
    'least',
    size,
    places.map((place) => place.least),
  );
  const most = graph.float(
    'most',
    size,
    places.map((place) => place.most),
  );
  const difference = graph.add('Sub', [of, minus], 'difference');
  const contrasts = graph.add('Min', [graph.add('Max', [difference, least], 'not_below'), most], 'contrasts');
  if (kept.length === 0) return contrasts;
  return graph.add('Concat', [plain, contrasts], 'columns', { axis: 1 });
}
