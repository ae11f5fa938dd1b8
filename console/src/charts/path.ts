import type { Sample } from './scale.ts';

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly to: number;
  readonly top: number;
}

export const xOf = (at: number, { from, to, width }: Frame): number => ((at - from) / (to - from)) * width;
/** One pixel is left free above and below, so that a line at the edge keeps its full width. */
export const yOf = (value: number, { height, top }: Frame): number =>
  1 + (height - 2) * (1 - Math.min(1, value / top));

/** Runs of samples that have a value: a gap in the data is a gap in the line. */
function runs(samples: readonly Sample[]): { readonly at: number; readonly value: number }[][] {
  const found: { at: number; value: number }[][] = [[]];
  for (const { at, value } of samples) {
    if (value === null) found.push([]);
    else found.at(-1)?.push({ at, value });
  }
  return found.filter((run) => run.length > 0);
}

const place = (at: number, value: number, frame: Frame): string =>
  `${xOf(at, frame).toFixed(1)} ${yOf(value, frame).toFixed(1)}`;

/** The `d` of the line. A single value between gaps is a short dash. */
export function linePath(samples: readonly Sample[], frame: Frame): string {
  return runs(samples)
    .map((run) => {
      const [first] = run;
      if (first !== undefined && run.length === 1) return `M${place(first.at, first.value, frame)}h1.5`;
      return `M${run.map(({ at, value }) => place(at, value, frame)).join('L')}`;
    })
    .join('');
}

/** The `d` of the area under the line. */
export function areaPath(samples: readonly Sample[], frame: Frame): string {
  return runs(samples)
    .filter((run) => run.length > 1)
    .map((run) => {
      const first = run[0]?.at ?? 0;
      const last = run.at(-1)?.at ?? 0;
      const line = run.map(({ at, value }) => place(at, value, frame)).join('L');
      return `M${xOf(first, frame).toFixed(1)} ${frame.height}L${line}L${xOf(last, frame).toFixed(1)} ${frame.height}Z`;
    })
    .join('');
}
