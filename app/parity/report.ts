import type { Difference, FeatureTally, ParityReport, SharedReport } from './port.ts';

/** The report for people: a row a feature, then the first differences. */
export function writeReport(report: ParityReport, out: (text: string) => void): void {
  const { decisions, features, differences } = report;
  const width = Math.max(7, ...features.map(({ feature }) => feature.length));
  out(`${'feature'.padEnd(width)}  compared  mismatch  missing  extra  beyond limits`);
  for (const row of features) out(rowOf(row, width));
  out('');
  out(
    `${decisions.compared} decisions compared; left out: ${decisions.otherWorkspace} of other versions of the workspace, ${decisions.notYetStored} whose events are still on their way.`,
  );
  if (decisions.forgotten > 0)
    out(
      `${decisions.forgotten} of them equal what their subject did since it was silent for state.ttl and began anew.`,
    );
  for (const line of linesOfShared(report.shared)) out(line);
  if (report.repeats > 0)
    out(
      `${report.repeats} events came again later than de-duplication remembers; they count twice, served and computed.`,
    );
  for (const text of report.conditionsByEngine)
    out(`This condition can't be told in SQL, so the engine evaluated it here too: ${text}`);
  if (differences.length > 0) out('\nFirst differences:');
  for (const difference of differences) out(lineOf(difference));
  out(report.ok ? 'No differences.' : 'There are differences.');
}

function linesOfShared(shared: SharedReport): string[] {
  if (shared.features.length === 0) return [];
  const { snapshots, tooLarge, otherSnapshots, notYetStored, tooYoung, notTold } = shared;
  const lines = [
    `Shared features were computed at ${snapshots} snapshots that these decisions had read; left out: ${otherSnapshots} more, ${tooLarge} of too many events, ${notYetStored} whose events are still on their way.`,
  ];
  if (tooYoung.length > 0)
    lines.push(
      `Not compared, as they may have begun empty less than their window ago: ${tooYoung.join(', ')}.`,
    );
  if (notTold.length > 0)
    lines.push(`Not compared, as SQL can't tell their condition: ${notTold.join(', ')}.`);
  return lines;
}

const rowOf = (row: FeatureTally, width: number): string =>
  `${row.feature.padEnd(width)}  ${cell(row.compared, 8)}  ${cell(row.mismatch, 8)}  ${cell(row.missing, 7)}  ${cell(row.extra, 5)}  ${cell(row.beyondLimits, 13)}`;

const cell = (value: number, width: number): string => String(value).padStart(width);

function lineOf(difference: Difference): string {
  const { feature, kind, decision, subject, partition, position, time, served, computed } = difference;
  const where = `decision ${decision} of ${subject} at ${new Date(time).toISOString()}, log ${partition}/${position}`;
  const note = difference.isBeyondLimits ? ' (beyond documented limits)' : '';
  return `  ${feature} ${kind}${note}: served ${JSON.stringify(served)}, computed ${JSON.stringify(computed)}; ${where}`;
}
