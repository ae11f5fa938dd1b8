import type { FeatureEvent } from '../../stream/features/port.ts';
import type { CompiledFeature } from '../../workspace/index.ts';
import { amount, asText, groupBy, matches } from './events.ts';
import { decayed, mostFrequent, sequenceValue } from './more-kinds.ts';

/**
 * What each feature kind *means*, by brute force over the raw list of a subject's events, in any order and with
 * repeats. It shares no code with stream/features: where the two disagree, one of them is wrong.
 */
export interface ReferenceRules {
  readonly sessionGapMs: number;
  readonly deduplicationMs: number;
}

type Value = number | string | boolean | null | readonly string[] | Readonly<Record<string, number>>;

/** The value of a feature at event time `at`, given all events so far. */
export function referenceValue(
  feature: CompiledFeature,
  all: readonly FeatureEvent[],
  at: number,
  rules: ReferenceRules,
): Value {
  const events = [...new Map([...all].reverse().map((event) => [event.id, event])).values()];
  const ordinary = events.filter((event) => !event.type.startsWith('$'));
  const matching = events.filter((event) => matches(feature, event));
  if (feature.kind === 'session') return sessionValue(feature, ordinary, matching, at, rules);
  if (feature.kind === 'last' || feature.kind === 'last_n' || feature.kind === 'time_since')
    return newestValue(feature, matching, at);
  if (feature.kind === 'sequence') return sequenceValue(feature, events, ordinary, at);
  const window = inWindow(feature, ordinary, matching, at);
  if (feature.kind === 'decay') return decayed(feature, window, at);
  if (feature.kind === 'top_k') return mostFrequent(feature, window);
  if (feature.by === null) return measured(feature, window);
  const groups = groupBy(window, (event) => asText(event.properties[feature.by ?? '']) ?? '');
  return Object.fromEntries(
    [...groups]
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([key, group]) => [key, measured(feature, group) as number]),
  );
}

/** Buckets (b(at) - n, b(at)], less those that the subject's own newest event has pushed out. */
function inWindow(
  feature: CompiledFeature,
  ordinary: readonly FeatureEvent[],
  matching: readonly FeatureEvent[],
  at: number,
): FeatureEvent[] {
  const bucket = (time: number): number => Math.floor(time / feature.bucketMs);
  const newest = Math.max(bucket(at), ...[...ordinary, ...matching].map((event) => bucket(event.time)));
  return matching.filter(({ time }) => bucket(time) > newest - feature.buckets && bucket(time) <= bucket(at));
}

function measured(feature: CompiledFeature, events: readonly FeatureEvent[]): number | null {
  const amounts = events.map((event) => amount(event.properties[feature.property ?? ''], feature.scale));
  const ranked = amounts.toSorted((a, b) => Number(a - b));
  const sum = amounts.reduce((a, b) => a + b, 0n);
  const unit = 10 ** feature.scale;
  switch (feature.kind) {
    case 'count':
      return events.length;
    case 'sum':
      return Number(sum) / unit;
    case 'min':
      return events.length === 0 ? null : Number(ranked.at(0)) / unit;
    case 'max':
      return events.length === 0 ? null : Number(ranked.at(-1)) / unit;
    case 'mean':
      return events.length === 0 ? null : Number(sum) / (events.length * unit);
    case 'distinct':
      return Math.min(
        feature.max,
        new Set(events.map((event) => asText(event.properties[feature.property ?? '']))).size,
      );
    // Of as few values as the tests have, an estimate is exact.
    case 'approx_distinct':
      return new Set(events.map((event) => asText(event.properties[feature.property ?? '']))).size;
    default:
      throw new Error(`not a window: ${feature.kind}`);
  }
}

/** Of the n + 3 (`last`: 1 + 3) newest by (time, id) those not after `at`, at most n. */
function newestValue(feature: CompiledFeature, matching: readonly FeatureEvent[], at: number): Value {
  if (feature.kind === 'time_since') {
    const times = [...new Set(matching.map(({ time }) => time))].sort((a, b) => b - a).slice(0, 4);
    const time = times.find((candidate) => candidate <= at);
    return time === undefined ? null : (at - time) / 1_000;
  }
  const wanted = feature.kind === 'last' ? 1 : feature.n;
  const values = [...matching]
    .sort((a, b) => b.time - a.time || Buffer.compare(Buffer.from(b.id), Buffer.from(a.id)))
    .slice(0, wanted + 3)
    .filter(({ time }) => time <= at)
    .slice(0, wanted)
    .map((event) => event.properties[feature.property ?? '']);
  if (feature.kind === 'last_n') return values.map((value) => `${value}`);
  const [value] = values;
  if (value === undefined) return null;
  return feature.propertyType === 'number' ? Number(value) : `${value}`;
}

interface Session {
  readonly id: string;
  readonly named: boolean;
  readonly events: readonly FeatureEvent[];
  readonly first: number;
  readonly last: number;
}

/** All sessions of a subject still within reach of an event that is late by at most the de-duplication window. */
function sessionsOf(ordinary: readonly FeatureEvent[], rules: ReferenceRules): Session[] {
  const newest = Math.max(...ordinary.map(({ time }) => time));
  const byName = groupBy(ordinary, ({ session }) => session);
  return [...byName].flatMap(([name, events]) => {
    const gap = name === null ? rules.sessionGapMs : rules.deduplicationMs;
    const runs: FeatureEvent[][] = [];
    for (const event of [...events].sort((a, b) => a.time - b.time)) {
      const run = runs.at(-1);
      if (run !== undefined && event.time - (run.at(-1)?.time ?? 0) <= gap) run.push(event);
      else runs.push([event]);
    }
    return runs
      .map((run) => {
        const first = run[0]?.time ?? 0;
        const last = run.at(-1)?.time ?? 0;
        return { id: name ?? `s-${first.toString(36)}`, named: name !== null, events: run, first, last };
      })
      .filter(({ last }) => last >= newest - rules.deduplicationMs - gap);
  });
}

/** The events of the session at `at` and its id, by the rule in stream/features/parts/sessions.ts. */
export function referenceSession(
  all: readonly FeatureEvent[],
  at: number,
  rules: ReferenceRules,
): { id: string; events: readonly FeatureEvent[] } | null {
  const ordinary = all.filter((event) => !event.type.startsWith('$'));
  const begun = sessionsOf(ordinary, rules).filter(({ first }) => first <= at);
  const near = (a: Session, b: Session): boolean =>
    a.first - b.last <= rules.sessionGapMs && b.first - a.last <= rules.sessionGapMs;
  const later = (a: Session, b: Session): number =>
    Math.min(b.last, at) - Math.min(a.last, at) || b.first - a.first || (a.id < b.id ? 1 : -1);
  const visits = begun.filter(({ named }) => !named);
  const visit = visits.sort(later)[0];
  const names = begun.filter(({ named }) => named).sort(later);
  const newest = names[0];
  const isVisitNewer =
    visit !== undefined && (newest === undefined || newest.last < Math.min(visit.last, at));
  const chosen = isVisitNewer ? names.find((session) => near(session, visit)) : newest;
  if (chosen !== undefined) {
    const parts = visits.filter((candidate) => near(candidate, chosen));
    return { id: chosen.id, events: [...chosen.events, ...parts.flatMap(({ events }) => events)] };
  }
  return visit !== undefined && at - visit.last <= rules.sessionGapMs ? visit : null;
}

function sessionValue(
  feature: CompiledFeature,
  ordinary: readonly FeatureEvent[],
  matching: readonly FeatureEvent[],
  at: number,
  rules: ReferenceRules,
): number | null {
  const members = new Set(referenceSession(ordinary, at, rules)?.events ?? []);
  const counted = matching.filter((event) => members.has(event));
  if (feature.measure === 'count') return counted.length;
  const first = Math.min(...counted.map(({ time }) => time));
  return first > at ? null : (at - first) / 1_000;
}
