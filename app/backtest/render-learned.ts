import type { LearnedReport } from '../../replay/index.ts';
import { short, table } from './render.ts';

/** What `presage backtest --learn` prints for people. */
export function renderLearned(report: LearnedReport, file: string, level: number): string {
  const { splits, difference, against } = report;
  const names = Object.keys(splits[0]?.actions ?? {});
  const percent = (share: number): string => `${short(100 * share)}%`;
  const pair = (ends: readonly [number, number] | null): string =>
    ends === null ? '-' : `[${short(ends[0])}, ${short(ends[1])}]`;
  const levelOfSplits = `${Number((100 * report.levelOfSplits).toFixed(2))}%`;
  const lines = [
    `A learned policy against always "${against}", on ${file}`,
    `${report.rows.toLocaleString('en-US')} rows, ${splits.length} splits: learned on one half (${report.model.family} model), compared on the other by DR, row by row.`,
    '',
    table([
      ['split', 'learned', 'always', 'difference', `${levelOfSplits} bootstrap`, ...names],
      ...splits.map((split, index) => [
        String(index + 1),
        short(split.learned),
        short(split.against),
        short(split.difference),
        pair(split.interval),
        ...names.map((name) => percent(split.actions[name] ?? 0)),
      ]),
      [
        'median',
        short(report.learned),
        short(report.value),
        short(difference.value),
        pair(difference.interval),
      ],
    ]),
    '',
    `The medians of the splits' ${levelOfSplits} intervals are a ${percent(level)} interval. ${report.splitsAbove} of ${splits.length} splits lie above 0 by themselves.`,
  ];
  if (report.refused.length > 0)
    lines.push('REFUSED to recommend:', ...report.refused.map((reason) => `  - ${reason}`));
  else lines.push(verdict(report, pair(difference.interval)));
  return lines.join('\n');
}

function verdict({ difference, against }: LearnedReport, interval: string): string {
  const by = `${short(difference.value)} ${interval}`;
  switch (difference.verdict) {
    case 'better':
      return `RECOMMENDED: the learned policy is better than always "${against}", by ${by}.`;
    case 'worse':
      return `NOT recommended: the learned policy is worse than always "${against}", by ${by}.`;
    case 'no evidence of better':
      return `No evidence of better: the difference to always "${against}" is ${by}, which includes 0.`;
  }
}
