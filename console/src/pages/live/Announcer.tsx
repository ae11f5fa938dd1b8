import { useEffect, useRef, useState } from 'react';
import { counted } from '../../format/index.ts';
import type { FeedView } from '../../live/index.ts';

const everyMs = 20_000;

interface AnnouncerProps {
  readonly counts: FeedView['counts'];
  readonly isQuiet: boolean;
}

/** Says now and then what came, to those who listen: reading out every row would drown everything else. */
export function Announcer({ counts, isQuiet }: AnnouncerProps) {
  const newest = useRef(counts);
  const [said, say] = useState('');

  useEffect(() => {
    newest.current = counts;
  }, [counts]);

  useEffect(() => {
    if (isQuiet) return;
    let before = newest.current;
    const timer = setInterval(() => {
      const now = newest.current;
      const decisions = now.decision - before.decision;
      const pushed = now.pushed - before.pushed;
      const events = now.event - before.event;
      before = now;
      if (events + decisions + pushed === 0) return;
      say(
        `In the last 20 seconds: ${counted(events, 'event')}, ${counted(decisions, 'decision')}, ${counted(pushed, 'offer')} pushed.`,
      );
    }, everyMs);
    return () => clearInterval(timer);
  }, [isQuiet]);

  return (
    <p className="hidden" aria-live="polite">
      {said}
    </p>
  );
}
