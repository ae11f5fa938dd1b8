import { useState } from 'react';
import type { ApiError, Point } from '../../api/index.ts';
import { throughputPoll } from '../../api/index.ts';
import { type Measure, sample, spanOf, TimeChart } from '../../charts/index.ts';
import { Empty, Failure, Loading, Panel } from '../../components/index.ts';
import { durationText, formatClock, formatMinute, formatRate } from '../../format/index.ts';

interface ChartPanelProps {
  readonly points: readonly Point[] | null;
  readonly error: ApiError | null;
}

interface Line {
  readonly measure: Measure;
  readonly label: string;
  readonly color: string;
  readonly isDashed?: boolean;
  readonly highest?: string;
}

interface ChartPlan {
  readonly title: string;
  readonly lines: readonly Line[];
}

const rate = (title: string, measure: Measure, color: string): ChartPlan => ({
  title,
  lines: [{ measure, label: '', color, highest: 'peak' }],
});

const latency = (title: string, p50: Measure, p99: Measure, color: string): ChartPlan => ({
  title,
  lines: [
    { measure: p50, label: 'p50', color },
    { measure: p99, label: 'p99', color, isDashed: true, highest: 'worst' },
  ],
});

const rates: readonly ChartPlan[] = [
  rate('Events', 'events', 'var(--slate)'),
  rate('Decisions', 'decisions', 'var(--violet)'),
  rate('Offers pushed', 'pushed', 'var(--teal)'),
];

const latencies: readonly ChartPlan[] = [
  latency('Log to committed state', 'commitP50', 'commitP99', 'var(--blue)'),
  latency('Log to pushed offer', 'pushP50', 'pushP99', 'var(--teal)'),
];

export const ThroughputPanel = (props: ChartPanelProps) => (
  <Charts
    {...props}
    title="Throughput"
    isLog={false}
    plans={rates}
    height={52}
    format={(value) => `${formatRate(value)}/s`}
  />
);

export const LatencyPanel = (props: ChartPanelProps) => (
  <Charts {...props} title="Latency" isLog plans={latencies} height={95} format={durationText} />
);

interface ChartsProps extends ChartPanelProps {
  readonly title: string;
  readonly plans: readonly ChartPlan[];
  readonly height: number;
  readonly isLog: boolean;
  readonly format: (value: number) => string;
}

function Charts({ title, plans, points, error, height, isLog, format }: ChartsProps) {
  const [cursor, setCursor] = useState<number | null>(null);
  if (points === null || points.length < 2) {
    return (
      <Panel title={title} className="panel-charts">
        {points === null && error !== null ? (
          <Failure what={`${title} could not be read`} error={error} onRetry={throughputPoll.refresh} />
        ) : points === null ? (
          <Loading lines={5} />
        ) : (
          <Empty title="No figures yet">They begin with the first full second of work.</Empty>
        )}
      </Panel>
    );
  }
  const span = spanOf(points);
  const to = points.at(-1)?.at ?? 0;
  const from = to - span * 1_000;
  return (
    <Panel
      title={title}
      note={`last ${span / 60} min${isLog ? ', logarithmic' : ''}`}
      className="panel-charts"
    >
      {plans.map((plan) => (
        <TimeChart
          key={plan.title}
          title={plan.title}
          series={plan.lines.map(({ measure, ...line }) => ({
            ...line,
            samples: sample(points, measure, span),
          }))}
          from={from}
          to={to}
          height={height}
          isLog={isLog}
          format={format}
          cursor={cursor}
          onCursor={setCursor}
        />
      ))}
      <Axis from={from} to={to} />
    </Panel>
  );
}

function Axis({ from, to }: { readonly from: number; readonly to: number }) {
  const format = to - from > 300_000 ? formatMinute : formatClock;
  return (
    <div className="chart-axis" aria-hidden="true">
      {[from, (from + to) / 2, to].map((at) => (
        <span key={at}>{format(at)}</span>
      ))}
    </div>
  );
}
