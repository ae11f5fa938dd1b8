/** Where every event of a feed went. `sent` is counted by the feed; the others are counted in ClickHouse. */
export interface FeedTotals {
  readonly rows: number;
  readonly sent: number;
  readonly new: number;
  readonly duplicate: number;
  readonly dead: number;
  readonly rejected: number;
  /** How often one of the new ones counted once more: for another subject, or beyond de-duplication (docs/identity.md). */
  readonly again: number;
  /** Of the new ones: later than their type allows. */
  readonly late: number;
  readonly seconds: number;
}

/** sent = new + duplicate + dead + rejected */
export const isAccountedFor = (totals: FeedTotals): boolean =>
  totals.sent === totals.new + totals.duplicate + totals.dead + totals.rejected;

const count = (value: number): string => value.toLocaleString('en-US');

export function renderTotals(totals: FeedTotals): string {
  const share = totals.new === 0 ? 0 : (totals.late / totals.new) * 100;
  const difference = totals.sent - (totals.new + totals.duplicate + totals.dead + totals.rejected);
  return [
    `rows        ${count(totals.rows)}`,
    `sent        ${count(totals.sent)} events in ${totals.seconds.toFixed(1)} s (${count(Math.round(totals.sent / Math.max(totals.seconds, 0.001)))}/s)`,
    `new         ${count(totals.new)}`,
    `duplicate   ${count(totals.duplicate)}`,
    `dead        ${count(totals.dead)}`,
    `rejected    ${count(totals.rejected)}`,
    ...(totals.again === 0
      ? []
      : [
          `again       ${count(totals.again)} times one of the new ones counted once more: its id was sent for two subjects, or it came again later than de-duplication remembers`,
        ]),
    `late        ${count(totals.late)} of the new ones came later than their type allows (${share.toFixed(1)}%)`,
    difference === 0
      ? 'sent = new + duplicate + dead + rejected: every event is accounted for'
      : `NOT ACCOUNTED FOR: ${count(difference)} events; please report this with the logs`,
  ].join('\n');
}

export interface ProgressLine {
  readonly sent: number;
  readonly total: number;
  readonly rejected: number;
  readonly perSecond: number;
}

const barWidth = 28;

/** One line: a bar for a terminal, plain words elsewhere. */
export function renderProgress(line: ProgressLine, isTerminal: boolean): string {
  const share = line.total === 0 ? 1 : line.sent / line.total;
  const secondsLeft = line.perSecond > 0 ? Math.ceil((line.total - line.sent) / line.perSecond) : null;
  const words = `${count(line.sent)}/${count(line.total)} events  ${count(Math.round(line.perSecond))}/s  ETA ${secondsLeft === null ? '?' : `${secondsLeft} s`}  rejects ${count(line.rejected)}`;
  if (!isTerminal) return `feed: ${words}`;
  const full = Math.round(share * barWidth);
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${(share * 100).toFixed(0).padStart(3)}%  ${words}`;
}
