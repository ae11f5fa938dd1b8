import { type Contrast, placesOf } from '../contrasts.ts';
import type { Graph } from './graph.ts';

/** Adds the contrasts behind the columns of `rows`; the name of the wider matrix. Each difference is rounded once. */
export function addContrasts(
  graph: Graph,
  inputs: readonly string[],
  contrasts: readonly Contrast[],
  rows: string,
): string {
  if (contrasts.length === 0) return rows;
  const places = contrasts.map((contrast) => placesOf(inputs, contrast));
  const { length } = contrasts;
  const of = graph.int64(
    'contrast_of',
    [length],
    places.map((place) => place.of),
  );
  const minus = graph.int64(
    'contrast_minus',
    [length],
    places.map((place) => place.minus),
  );
  const least = graph.float(
    'contrast_least',
    [length],
    contrasts.map((contrast) => contrast.least),
  );
  const most = graph.float(
    'contrast_most',
    [length],
    contrasts.map((contrast) => contrast.most),
  );
  const difference = graph.add(
    'Sub',
    [
      graph.add('Gather', [rows, of], 'contrasted', { axis: 1 }),
      graph.add('Gather', [rows, minus], 'against', { axis: 1 }),
    ],
    'difference',
  );
  const kept = graph.add('Min', [graph.add('Max', [difference, least], 'not_below'), most], 'contrasts');
  return graph.add('Concat', [rows, kept], 'columns', { axis: 1 });
}
