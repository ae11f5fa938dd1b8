import type { Point } from '../../api/index.ts';
import { recent } from '../../charts/index.ts';
import { Figure } from '../../components/index.ts';
import { formatDuration, formatRate, nothing } from '../../format/index.ts';

const seconds = 10;

/** The headline: rates as the mean of the last 10 s, p50 as its median second, p99 as its worst. */
export function Figures({ points }: { readonly points: readonly Point[] | null }) {
  const rate = (measure: 'events' | 'decisions' | 'pushed') => {
    const value = points === null ? null : recent(points, measure, seconds);
    return value === null ? nothing : formatRate(value);
  };
  const latency = (measure: 'commitP50' | 'commitP99' | 'pushP50' | 'pushP99') =>
    formatDuration(points === null ? null : recent(points, measure, seconds));
  return (
    <section className="figures" aria-label="Now: the last 10 seconds">
      <dl>
        <Figure
          label="Events"
          value={rate('events')}
          unit="/s"
          title="Committed events a second, mean of the last 10 s"
        />
        <Figure
          label="Decisions"
          value={rate('decisions')}
          unit="/s"
          title="Decisions a second, mean of the last 10 s"
        />
        <Figure
          label="Offers pushed"
          value={rate('pushed')}
          unit="/s"
          title="Offers handed to live sockets a second, mean of the last 10 s"
        />
        <Figure
          label="Commit p50"
          {...latency('commitP50')}
          title={`${commit}: median second of the last 10`}
        />
        <Figure
          label="Commit p99"
          {...latency('commitP99')}
          title={`${commit}: worst second of the last 10`}
        />
        <Figure label="Push p50" {...latency('pushP50')} title={`${push}: median second of the last 10`} />
        <Figure label="Push p99" {...latency('pushP99')} title={`${push}: worst second of the last 10`} />
      </dl>
      <p className="figures-note">
        Last 10 seconds: rates are their mean, p50 their median second, p99 their worst. Latency counts from
        the append in the log.
      </p>
    </section>
  );
}

const commit = 'From the append in the log to the committed state';
const push = 'From the append in the log to the offer in a live socket';
