import { formatClock } from '../format/index.ts';
import { areaPath, type Frame, linePath, xOf, yOf } from './path.ts';
import { linearScale, logScale, type Sample } from './scale.ts';
import { useWidth } from './useWidth.ts';

export interface Series {
  /** What tells it from the chart's other lines; '' where it is alone. */
  readonly label: string;
  /** A colour token, e.g. `var(--teal)`. */
  readonly color: string;
  readonly samples: readonly Sample[];
  readonly isDashed?: boolean;
  /** What its highest value is called, e.g. `peak`; without it, no such value is shown. */
  readonly highest?: string;
}

interface TimeChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly isLog: boolean;
  readonly format: (value: number) => string;
  /** The moment under the pointer, shared by the charts of a panel. */
  readonly cursor: number | null;
  readonly onCursor: (at: number | null) => void;
}

/** Lines over time with one scale of its own. What it shows is also said in words, for those who can't see it. */
export function TimeChart(props: TimeChartProps) {
  const { title, series, from, to, height, isLog, format, cursor, onCursor } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const { bottom, top, marks } = (isLog ? logScale : linearScale)(series.flatMap(valuesOf));
  const frame: Frame = { width, height, from, to, bottom, top, isLog };
  return (
    <div className="chart">
      <div className="chart-head">
        <span className="chart-title">{title}</span>
        <span className="chart-keys">
          {series.map((line) => (
            <Key key={line.label} line={line} isAlone={series.length === 1} cursor={cursor} format={format} />
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
          {marks.map((mark) => (
            <line key={mark} x2={width} y1={yOf(mark, frame)} y2={yOf(mark, frame)} className="chart-grid" />
          ))}
          <line x2={width} y1={height - 0.5} y2={height - 0.5} className="chart-base" />
          {series.map(({ label, color, samples, isDashed }) => (
            <g key={label}>
              {series.length === 1 && <path d={areaPath(samples, frame)} fill={color} fillOpacity="0.12" />}
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
            <line x1={xOf(cursor, frame)} x2={xOf(cursor, frame)} y2={height} className="chart-cursor" />
          )}
        </svg>
        {(isLog ? marks : marks.slice(-1)).map((mark) => (
          <span key={mark} className="chart-mark" style={{ top: yOf(mark, frame) }}>
            {format(mark)}
          </span>
        ))}
        {cursor !== null && <span className="chart-at">{formatClock(cursor)}</span>}
      </div>
    </div>
  );
}

interface KeyProps {
  readonly line: Series;
  readonly isAlone: boolean;
  readonly cursor: number | null;
  readonly format: (value: number) => string;
}

/** A line's name and its value under the pointer, or its highest. */
function Key({ line, isAlone, cursor, format }: KeyProps) {
  const values = valuesOf(line);
  const shown = cursor === null ? null : valueAt(line.samples, cursor);
  const highest = line.highest === undefined || values.length === 0 ? null : Math.max(...values);
  return (
    <span className="chart-key">
      {!isAlone && (
        <svg width="16" height="8" aria-hidden="true">
          <line x2="16" y1="4" y2="4" stroke={line.color} strokeWidth="2" {...dash(line.isDashed)} />
        </svg>
      )}
      {line.label}{' '}
      {cursor !== null ? (
        <b>{shown === null ? 'no data' : format(shown)}</b>
      ) : (
        highest !== null && (
          <>
            {line.highest} <b>{format(highest)}</b>
          </>
        )
      )}
    </span>
  );
}

const valuesOf = ({ samples }: Series): number[] => samples.flatMap(({ value }) => value ?? []);

const dash = (isDashed: boolean | undefined) => (isDashed ? { strokeDasharray: '3 2.5' } : {});

/** The value of the stretch that holds the moment. */
function valueAt(samples: readonly Sample[], at: number): number | null {
  return samples.findLast((sample) => sample.at <= at)?.value ?? null;
}

function summary(title: string, series: readonly Series[], format: (value: number) => string): string {
  const parts = series.map((line) => {
    const values = valuesOf(line);
    const said =
      values.length === 0
        ? 'no data yet'
        : `now ${format(values.at(-1) ?? 0)}, highest ${format(Math.max(...values))}`;
    return line.label === '' ? said : `${line.label}: ${said}`;
  });
  return `${title}. ${parts.join('; ')}.`;
}
