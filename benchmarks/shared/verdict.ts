import { cpus, loadavg } from 'node:os';

/** How busy the machine was before the benchmark added to it. */
const loadBefore = loadavg()[0] ?? 0;

export interface Bar {
  readonly what: string;
  readonly value: number;
  /** From here on it is what was aimed at. */
  readonly target: number;
  /** Short of this it is not done. */
  readonly least: number;
  /** Unit, or `x` for a ratio. */
  readonly unit: string;
  readonly better: 'lower' | 'higher';
}

/** A figure against what was asked of it. */
export function verdict({ what, value, target, least, unit, better }: Bar): string {
  const isLower = better === 'lower';
  const reaches = (bar: number): boolean => (isLower ? value <= bar : value >= bar);
  const said = reaches(target)
    ? 'the target is met'
    : reaches(least)
      ? 'better than the bar, short of the target'
      : 'NOT DONE';
  const [aim, end] = isLower ? ['at most', 'above'] : ['at least', 'below'];
  const show = (number: number): string => `${Number(number.toFixed(2))}${unit}`;
  const bar = target === least ? '' : `, not done ${end} ${show(least)}`;
  return `- ${what}: ${show(value)} (target ${aim} ${show(target)}${bar}): **${said}**.`;
}

/** Whether others used the machine too. */
export const isShared = loadBefore >= cpus().length / 4;

/** What the machine was busy with besides, and what that makes of the figures. */
export function trust(): string {
  const cores = cpus().length;
  const load = loadBefore.toFixed(1);
  if (!isShared)
    return `How far to trust it: nothing else ran when it began (load ${load} on ${cores} cores).`;
  return `How far to trust it: other work shared the ${cores} cores (load ${load} before it began). Times and rates are worse than on a machine of its own, and differ between runs; CPU-seconds are steadier.`;
}

/** How much the same program differed between runs. */
export const spread = (values: readonly number[]): number => Math.max(...values) / Math.min(...values);
