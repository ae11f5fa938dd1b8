import type { Point } from '../api/index.ts';

/** One place on a chart's time axis: a stretch of seconds, put together. null = no data. */
export interface Sample {
  readonly at: number;
  readonly value: number | null;
}

export type Measure = 'events' | 'decisions' | 'pushed' | 'commitP50' | 'commitP99' | 'pushP50' | 'pushP99';

const spansSeconds = [60, 120, 300, 900] as const;

/** The shortest span (1, 2, 5 or 15 minutes) that holds all points, so that the first minutes fill the chart too. */
export function spanOf(points: readonly Point[]): number {
  const first = points[0]?.at ?? 0;
  const last = points.at(-1)?.at ?? 0;
  const seconds = (last - first) / 1_000;
  return spansSeconds.find((span) => seconds <= span) ?? 900;
}

/**
 * Points of the last `spanSeconds` in stretches of equal length, at most about 180: rates as their mean, a p99 as the
 * worst second's (a mean would hide what a p99 is read for), a p50 as the seconds' median.
 */
export function sample(points: readonly Point[], measure: Measure, spanSeconds: number): readonly Sample[] {
  const end = points.at(-1)?.at ?? 0;
  const stretchMs = Math.max(1, Math.ceil(spanSeconds / 180)) * 1_000;
  const stretches = new Map<number, number[]>();
  for (const point of points) {
    if (point.at <= end - spanSeconds * 1_000) continue;
    const start = Math.floor(point.at / stretchMs) * stretchMs;
    const values = stretches.get(start) ?? [];
    stretches.set(start, values);
    const value = point[measure];
    if (value !== null) values.push(value);
  }
  return [...stretches].map(([at, values]) => ({ at, value: combine(measure, values) }));
}

export function combine(measure: Measure, values: readonly number[]): number | null {
  if (values.length === 0) return null;
  switch (measure) {
    case 'events':
    case 'decisions':
    case 'pushed':
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    case 'commitP50':
    case 'pushP50':
      return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
    case 'commitP99':
    case 'pushP99':
      return Math.max(...values);
  }
}

/** The last `seconds` seconds as one figure; null without data. */
export function recent(points: readonly Point[], measure: Measure, seconds: number): number | null {
  return combine(
    measure,
    points.slice(-seconds).flatMap((point) => point[measure] ?? []),
  );
}

const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 x 10^n at or above: a top that the eye can divide, without much air. */
export function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = steps.find((one) => one * power >= value * 0.999_999) ?? 10;
  return Number((step * power).toPrecision(2));
}

export interface Scale {
  readonly bottom: number;
  readonly top: number;
  /** Where lines are drawn across, from the lowest, each with its name. */
  readonly marks: readonly number[];
}

/** From zero to a nice top, with its half. */
export function linearScale(values: readonly number[]): Scale {
  const top = niceTop(Math.max(0, ...values));
  return { bottom: 0, top, marks: [top / 2, top] };
}

/** Whole powers of ten around the values, at least two of them: a spike then leaves the rest readable. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { bottom: 0.1, top: 10, marks: [1, 10] };
  const low = Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))));
  const marks = Array.from({ length: high - low }, (_, index) => 10 ** (low + index + 1));
  return { bottom: 10 ** low, top: 10 ** high, marks };
}
