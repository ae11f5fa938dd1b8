import type { Sample } from './scale.ts';

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly to: number;
  /** The values at the lower and the upper edge. */
  readonly bottom: number;
  readonly top: number;
  readonly isLog: boolean;
}

export const xOf = (at: number, { from, to, width }: Frame): number => ((at - from) / (to - from)) * width;

/** One pixel is left free above and below, so that a line at the edge keeps its full width. */
export function yOf(value: number, { height, bottom, top, isLog }: Frame): number {
  const share = isLog
    ? Math.log(Math.max(value, bottom) / bottom) / Math.log(top / bottom)
    : (value - bottom) / (top - bottom);
  return 1 + (height - 2) * (1 - Math.max(0, Math.min(1, share)));
}

/** Stretches without a value that a line still bridges: a quiet moment is not a break, half a minute is. */
const longestGapMs = 30_000;

interface Known {
  readonly at: number;
  readonly value: number;
}

/** Runs of samples that have a value, parted where there was none for long. */
function runs(samples: readonly Sample[]): Known[][] {
  const found: Known[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { at, value } of samples) {
    if (value === null) continue;
    if (at - last > longestGapMs) found.push([]);
    found.at(-1)?.push({ at, value });
    last = at;
  }
  return found;
}

const place = ({ at, value }: Known, frame: Frame): string =>
  `${xOf(at, frame).toFixed(1)} ${yOf(value, frame).toFixed(1)}`;

/** The `d` of the line. A single value between gaps is a short dash. */
export function linePath(samples: readonly Sample[], frame: Frame): string {
  return runs(samples)
    .map((run) => {
      const [first] = run;
      if (first !== undefined && run.length === 1) return `M${place(first, frame)}h1.5`;
      return `M${run.map((known) => place(known, frame)).join('L')}`;
    })
    .join('');
}

/** The `d` of the area under the line. */
export function areaPath(samples: readonly Sample[], frame: Frame): string {
  return runs(samples)
    .filter((run) => run.length > 1)
    .map((run) => {
      const x = (known: Known | undefined): string => xOf(known?.at ?? frame.from, frame).toFixed(1);
      const line = run.map((known) => place(known, frame)).join('L');
      return `M${x(run[0])} ${frame.height}L${line}L${x(run.at(-1))} ${frame.height}Z`;
    })
    .join('');
}
