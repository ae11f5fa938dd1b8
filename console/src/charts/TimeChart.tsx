import { formatClock } from '../format/index.ts';
import { areaPath, type Frame, linePath, xOf, yOf } from './path.ts';
import { niceTop, type Sample } from './scale.ts';
import { useWidth } from './useWidth.ts';

export interface Series {
  readonly label: string;
  /** A colour token, e.g. `var(--teal)`. */
  readonly color: string;
  readonly samples: readonly Sample[];
  readonly isDashed?: boolean;
}

interface TimeChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly format: (value: number) => string;
  /** The moment under the pointer, shared by the charts of a panel. */
  readonly cursor: number | null;
  readonly onCursor: (at: number | null) => void;
}

/** Lines over time with one scale of its own. What it shows is also said in words, for those who can't see it. */
export function TimeChart(props: TimeChartProps) {
  const { title, series, from, to, height, format, cursor, onCursor } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const highest = Math.max(0, ...series.flatMap(({ samples }) => samples.map(({ value }) => value ?? 0)));
  const top = niceTop(highest);
  const frame: Frame = { width, height, from, to, top };
  const shownAt = cursor ?? to;
  return (
    <div className="chart">
      <div className="chart-head">
        <span className="chart-title">{title}</span>
        <span className="chart-keys">
          {series.map(({ label, color, samples, isDashed }) => (
            <span className="chart-key" key={label}>
              <svg width="14" height="8" aria-hidden="true">
                <line x1="0" x2="14" y1="4" y2="4" stroke={color} strokeWidth="2" {...dash(isDashed)} />
              </svg>
              {label} <b>{textAt(samples, cursor, format)}</b>
            </span>
          ))}
        </span>
      </div>
      <div
        className="chart-plot"
        ref={ref}
        style={{ height }}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          onCursor(from + ((event.clientX - box.left) / Math.max(1, box.width)) * (to - from));
        }}
        onPointerLeave={() => onCursor(null)}
      >
        <svg width={width} height={height} role="img" aria-label={summary(title, series, format)}>
          <line x1="0" x2={width} y1={yOf(top, frame)} y2={yOf(top, frame)} className="chart-grid" />
          <line x1="0" x2={width} y1={yOf(top / 2, frame)} y2={yOf(top / 2, frame)} className="chart-grid" />
          <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} className="chart-base" />
          {series.map(({ label, color, samples, isDashed }, index) => (
            <g key={label}>
              {index === 0 && <path d={areaPath(samples, frame)} fill={color} fillOpacity="0.12" />}
              <path
                d={linePath(samples, frame)}
                fill="none"
                stroke={color}
                strokeWidth="1.5"
                {...dash(isDashed)}
              />
            </g>
          ))}
          {cursor !== null && (
            <line
              x1={xOf(cursor, frame)}
              x2={xOf(cursor, frame)}
              y1="0"
              y2={height}
              className="chart-cursor"
            />
          )}
        </svg>
        <span className="chart-top">{format(top)}</span>
        {cursor !== null && <span className="chart-at">{formatClock(shownAt)}</span>}
      </div>
    </div>
  );
}

const dash = (isDashed: boolean | undefined) => (isDashed ? { strokeDasharray: '3 3' } : {});

/** The sample nearest to a moment, or the newest that has a value. */
function textAt(samples: readonly Sample[], at: number | null, format: (value: number) => string): string {
  const found =
    at === null
      ? samples.findLast(({ value }) => value !== null)
      : samples.reduce<Sample | undefined>(
          (best, next) =>
            best === undefined || Math.abs(next.at - at) < Math.abs(best.at - at) ? next : best,
          undefined,
        );
  return found === undefined || found.value === null ? '–' : format(found.value);
}

function summary(title: string, series: readonly Series[], format: (value: number) => string): string {
  const parts = series.map(({ label, samples }) => {
    const values = samples.flatMap(({ value }) => value ?? []);
    return values.length === 0
      ? `${label}: no data yet`
      : `${label}: now ${format(values.at(-1) ?? 0)}, highest ${format(Math.max(...values))}`;
  });
  return `${title}. ${parts.join('; ')}.`;
}
