import type { Backtest, Estimate, EstimateName } from '../../replay/index.ts';

const titles: Record<EstimateName, string> = {
  ips: 'IPS',
  snips: 'SNIPS',
  dm: 'DM',
  dr: 'DR',
  switchDr: 'Switch-DR',
  clippedIps: 'IPS, clipped',
  clippedSnips: 'SNIPS, clipped',
  clippedDr: 'DR, clipped',
};

const meanings: Record<Backtest['assumption'], string> = {
  independent: 'a reward depends on its own action and position alone',
  cascade: 'a reward depends on its own slot and those before it',
  slate: 'a reward depends on all slots of its slate',
};

/** What `presage backtest` prints for people. */
export function renderBacktest(report: Backtest, file: string, level: number): string {
  const { diagnostics, difference, units } = report;
  const { weights } = diagnostics;
  const percentLevel = `${Math.round(100 * level)}%`;
  const lines = [
    `${report.policy} on ${file}`,
    `${count(report.decisions, report.decision)}${report.decision === 'slate' ? ` of ${count(report.rows, 'row')}` : ''}${units.kind === 'subject' ? ` of ${count(units.count, 'subject')}, resampled whole` : ''}. Assumed (${report.assumption}): ${meanings[report.assumption]}.`,
  ];
  if (report.deterministic.rows > 0)
    lines.push(
      `${count(report.deterministic.rows, 'row')} (${percent(report.deterministic.share)}) left out: made where nothing could be drawn.`,
    );
  lines.push(
    '',
    table([
      ['', 'value', `${percentLevel} bootstrap`, `${percentLevel} empirical Bernstein`],
      ['as logged', ...cells(report.onPolicy)],
      ...(Object.keys(titles) as EstimateName[]).map((name) => [
        titles[name],
        ...cells(report.estimates[name]),
      ]),
      ['DR - logged', ...cells(difference)],
    ]),
    '',
    `Weights: mean ${short(weights.mean)} (standard error ${short(weights.standardError)}), median ${short(weights.median)}, 1% above ${short(weights.upperPercent)}, largest ${short(weights.largest)}, ${percent(weights.zero)} are 0. Clipped at ${short(report.clip)}; the model alone above ${short(report.switchThreshold)} in Switch-DR.`,
    `The log is worth ${short(report.ess)} ${report.decision}s of this policy (ESS); its rewards are worth ${short(diagnostics.effectivePositives)} equal ones; ${percent(diagnostics.outsideSupport)} of the policy is outside the log.`,
    modelLine(report),
    '',
    ...report.warnings.map((one) => `Warning: ${one}.`),
  );
  if (report.refused.length > 0)
    lines.push('REFUSED to recommend:', ...report.refused.map((one) => `  - ${one}`));
  else lines.push(recommendation(report));
  return lines.join('\n');
}

/** The intervals of DM take its model for true; who reads them should know. */
function modelLine({ model }: Backtest): string {
  const note = 'The intervals of DM know nothing of its error.';
  if (model === null) return `Expected rewards as they were given. ${note}`;
  const { family, folds, loss, outOfFold, constant, isBetterThanConstant } = model;
  return `Model of rewards: ${family}, ${folds} folds, ${loss} out of fold ${outOfFold.toPrecision(5)}, ${isBetterThanConstant ? 'better than' : 'NOT better than'} ${constant.toPrecision(5)} of a constant. ${note}`;
}

function recommendation({ difference, policy }: Backtest): string {
  const by = `${short(difference.value)} ${pair(difference.bootstrap)}`;
  switch (difference.verdict) {
    case 'better':
      return `RECOMMENDED: ${policy} is better than what made the log, by ${by}.`;
    case 'worse':
      return `NOT recommended: ${policy} is worse than what made the log, by ${by}.`;
    case 'no evidence of better':
      return `No evidence of better: the difference to what made the log is ${by}, which includes 0.`;
  }
}

const cells = (estimate: Estimate): string[] => [
  short(estimate.value),
  pair(estimate.bootstrap),
  pair(estimate.empiricalBernstein),
];

const pair = (ends: readonly [number, number] | null): string =>
  ends === null ? '-' : `[${short(ends[0])}, ${short(ends[1])}]`;

/** Four digits that count. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}

const percent = (share: number): string => `${short(100 * share)}%`;

const count = (amount: number, what: string): string =>
  `${amount.toLocaleString('en-US')} ${what}${amount === 1 ? '' : 's'}`;

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
