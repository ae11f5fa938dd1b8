import { describe, expect, it } from 'vitest';
import { type FeedTotals, isAccountedFor, renderProgress, renderTotals } from './report.ts';

const totals: FeedTotals = {
  rows: 10,
  sent: 10,
  new: 6,
  duplicate: 2,
  dead: 1,
  rejected: 1,
  again: 0,
  late: 3,
  seconds: 2,
};

describe('what feed says', () => {
  it('adds up: sent = new + duplicate + dead + rejected', () => {
    expect(isAccountedFor(totals)).toBe(true);
    expect(renderTotals(totals)).toContain('every event is accounted for');
    expect(renderTotals(totals)).toContain('3 of the new ones came later than their type allows (50.0%)');
  });

  it('tells apart what counted for two subjects, and adds up all the same', () => {
    expect(renderTotals(totals)).not.toContain('again ');
    const twice = { ...totals, again: 2 };
    expect(isAccountedFor(twice)).toBe(true);
    expect(renderTotals(twice)).toContain('again       2 times one of the new ones counted once more');
  });

  it('says how many are missing when it does not add up', () => {
    const short = { ...totals, new: 4 };
    expect(isAccountedFor(short)).toBe(false);
    expect(renderTotals(short)).toContain('NOT ACCOUNTED FOR: 2 events');
  });

  it('shows a bar with rate, time left and rejects on a terminal, and plain words elsewhere', () => {
    const line = { sent: 2_500, total: 10_000, rejected: 4, perSecond: 1_500 };
    expect(renderProgress(line, true)).toBe(
      '███████░░░░░░░░░░░░░░░░░░░░░  25%  2,500/10,000 events  1,500/s  ETA 5 s  rejects 4',
    );
    expect(renderProgress(line, false)).toBe('feed: 2,500/10,000 events  1,500/s  ETA 5 s  rejects 4');
    expect(renderProgress({ ...line, perSecond: 0 }, false)).toContain('ETA ?');
  });
});
