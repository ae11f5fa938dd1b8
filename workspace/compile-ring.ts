import type { Compiling } from './compile-context.ts';
import { durationMs, formatDuration } from './duration.ts';
import { type Path, quote } from './problems.ts';

const mostBuckets = 1_440;
const shortestBucketMs = 1_000;
const usualBuckets = 60;

/** The ring of buckets that a window is kept in. */
export function compileRing(
  compiling: Compiling,
  source: { readonly window: string; readonly bucket?: string | undefined },
  path: Path,
  usual = usualBuckets,
): { readonly bucketMs: number; readonly buckets: number } {
  const windowMs = durationMs(source.window);
  if (windowMs < shortestBucketMs) {
    compiling.report(
      [...path, 'window'],
      `expected a window of at least 1s but found ${quote(source.window)}`,
    );
    return { bucketMs: 0, buckets: 0 };
  }
  if (source.bucket === undefined) {
    const buckets = usualBucketsOf(windowMs, usual);
    return { bucketMs: windowMs / buckets, buckets };
  }
  const bucketMs = durationMs(source.bucket);
  const place = [...path, 'bucket'];
  const buckets = windowMs / bucketMs;
  if (bucketMs < shortestBucketMs) {
    compiling.report(place, `expected a bucket of at least 1s but found ${quote(source.bucket)}`);
  } else if (!Number.isInteger(buckets)) {
    const example = formatDuration(windowMs / usualBucketsOf(windowMs, usual));
    compiling.report(
      place,
      `expected a bucket that divides the window of ${source.window} evenly, such as ${example}, but found ${quote(source.bucket)}`,
    );
  } else if (buckets > mostBuckets) {
    const least = formatDuration(Math.ceil(windowMs / mostBuckets / 1_000) * 1_000);
    compiling.report(
      place,
      `expected at most ${mostBuckets} buckets in a window (a bucket of ${least} or more) but found ${buckets}`,
    );
  } else return { bucketMs, buckets };
  return { bucketMs: 0, buckets: 0 };
}

/** As many as usual, or the most below that that divide the window into whole milliseconds, of at least a second each. */
function usualBucketsOf(windowMs: number, usual: number): number {
  let buckets = Math.min(usual, Math.floor(windowMs / shortestBucketMs));
  while (windowMs % buckets !== 0) buckets--;
  return buckets;
}
