import type { FeatureEvent } from '../../stream/features/port.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import { amount, asText, groupBy, matches } from './events.ts';

/** What decay, top_k and sequence mean, by brute force over raw events; no code of stream/features. */
export function decayed(feature: CompiledFeature, window: readonly FeatureEvent[], at: number): number {
  return window.reduce((sum, { time, properties }) => {
    const size =
      feature.property === null
        ? 1
        : Number(amount(properties[feature.property], feature.scale)) / 10 ** feature.scale;
    return sum + size * 0.5 ** ((at - time) / feature.halfLifeMs);
  }, 0);
}

export function mostFrequent(feature: CompiledFeature, window: readonly FeatureEvent[]): readonly string[] {
  const groups = groupBy(window, ({ properties }) => asText(properties[feature.property ?? '']) ?? '');
  return [...groups]
    .sort(([a, x], [b, y]) => y.length - x.length || Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .slice(0, feature.n)
    .map(([value]) => value);
}

const inOrder = (a: FeatureEvent, b: FeatureEvent): number =>
  a.time - b.time || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));

/** Takes the first event that any choice of earlier ones completes a sequence with, and goes on behind it. */
export function sequenceValue(
  feature: CompiledFeature,
  events: readonly FeatureEvent[],
  ordinary: readonly FeatureEvent[],
  at: number,
): number | boolean | null {
  const isStep = (event: FeatureEvent, step: number): boolean =>
    matches({ ...feature, ...feature.steps[step], kind: 'count' }, event);
  const steps = feature.steps.map((_, index) => index);
  const known = events.filter((event) => steps.some((step) => isStep(event, step)));
  const newest = Math.max(at, ...[...ordinary, ...known].map(({ time }) => time));
  const window = known.filter(({ time }) => time > newest - feature.windowMs && time <= at);
  const completed: number[] = [];
  for (const group of groupBy(window, (event) => asText(event.properties[feature.by ?? ''])).values()) {
    const list = group.sort(inOrder);
    let from = 0;
    for (let end = 0; end < list.length; end++) {
      if (!endsSequence(list.slice(from, end + 1), isStep, feature.steps.length, feature.withinMs)) continue;
      completed.push(list[end]?.time ?? 0);
      from = end + 1;
    }
  }
  if (feature.measure === 'any') return completed.length > 0;
  if (feature.measure === 'count') return completed.length;
  return completed.length === 0 ? null : (at - Math.max(...completed)) / 1_000;
}

/** Whether the last event is the last step, with the other steps before it in their order, in time. */
function endsSequence(
  list: readonly FeatureEvent[],
  isStep: (event: FeatureEvent, step: number) => boolean,
  length: number,
  withinMs: number,
): boolean {
  const last = list.at(-1);
  const chainFrom = (index: number, step: number, begun: number): boolean => {
    const event = list[index];
    if (event === undefined || last === undefined || !isStep(event, step)) return false;
    if (step === length - 1) return event === last && event.time - begun <= withinMs;
    return list.some((_, next) => next > index && chainFrom(next, step + 1, begun));
  };
  return list.some((event, index) => chainFrom(index, 0, event.time));
}
