import { type FeedProgress, renderProgress } from '../feed/index.ts';
import type { Context } from './context.ts';
import type { FeedOptions } from './feed-options.ts';

const linesEveryMs = 2_000;

/** Shows how far a feed is: a bar on a terminal, a line every two seconds elsewhere, nothing where JSON is wanted. */
export function progressPrinter(
  context: Context,
  options: FeedOptions,
  total: number,
  rejects: number,
  alreadySent: number,
) {
  const { isTerminal } = context.environment;
  const begunAt = Date.now();
  let shownAt = begunAt;
  return (progress: FeedProgress): void => {
    if (options.json) return;
    const now = Date.now();
    const isLast = progress.sent >= total;
    if (!isTerminal && now - shownAt < linesEveryMs && !isLast) return;
    shownAt = now;
    const perSecond = ((progress.sent - alreadySent) / Math.max(1, now - begunAt)) * 1_000;
    const line = renderProgress(
      { sent: progress.sent, total, rejected: rejects + progress.rejectedCount, perSecond },
      isTerminal,
    );
    if (isTerminal) process.stderr.write(`\r\x1b[2K${line}${isLast ? '\n' : ''}`);
    else context.err(line);
  };
}
