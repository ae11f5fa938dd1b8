import type { Throughput } from '../../../schemas/index.ts';
import { getJson, query } from './http.ts';
import { makePoll } from './poll.ts';

export type Point = Throughput['points'][number];

const maximumPoints = 900;

/** The last 15 minutes. Says what it has already, so that a gateway may send the rest only; all of it is fine too. */
export const throughputPoll = makePoll<Throughput>(async (last) => {
  const since = last?.points.at(-1)?.at;
  const fresh = await getJson<Throughput>(`/api/throughput${query({ since })}`);
  return { points: mergePoints(last?.points ?? [], fresh.points) };
}, 1_000);

/** What was known and what came, once each, oldest first, at most 15 minutes of it; what came wins. */
export function mergePoints(known: readonly Point[], fresh: readonly Point[]): readonly Point[] {
  const first = fresh[0];
  if (first === undefined) return known;
  const kept = known.filter((point) => point.at < first.at);
  return [...kept, ...fresh].slice(-maximumPoints);
}
