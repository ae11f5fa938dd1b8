import type { DecisionTimings } from '../../../../schemas/index.ts';
import { Panel, Time } from '../../components/index.ts';
import { durationText } from '../../format/index.ts';

/** Where the milliseconds went. Features and scoring are measured; what is left is log, batch and rules. */
export function Timings({ timings }: { readonly timings: DecisionTimings }) {
  const { featuresMs, scoringMs, receivedAt, decidedAt } = timings;
  const total = Math.max(timings.totalMs, featuresMs + scoringMs, 0);
  const rest = Math.max(0, total - featuresMs - scoringMs);
  const steps = [
    { name: 'Log, batch and rules', ms: rest, color: 'var(--slate)' },
    { name: 'Features', ms: featuresMs, color: 'var(--blue)' },
    { name: 'Scoring', ms: scoringMs, color: 'var(--violet)' },
  ];
  let before = 0;
  return (
    <Panel
      title="Timing"
      note={
        <>
          received <Time at={receivedAt} as="ms" />, decided <Time at={decidedAt} as="ms" />
        </>
      }
    >
      <ul className="waterfall">
        {steps.map(({ name, ms, color }) => {
          const left = total === 0 ? 0 : (before / total) * 100;
          before += ms;
          return (
            <li key={name}>
              <span className="waterfall-name">{name}</span>
              <span className="waterfall-track" aria-hidden="true">
                <span
                  style={{
                    left: `${Math.min(left, 99.5)}%`,
                    width: `${total === 0 ? 0 : Math.max(0.5, (ms / total) * 100)}%`,
                    background: color,
                  }}
                />
              </span>
              <span className="waterfall-ms">{durationText(ms)}</span>
            </li>
          );
        })}
        <li className="waterfall-total">
          <span className="waterfall-name">Total</span>
          <span />
          <span className="waterfall-ms">{durationText(timings.totalMs)}</span>
        </li>
      </ul>
    </Panel>
  );
}
