import type { DecisionRecord } from '../../../../schemas/index.ts';
import { ModeTag, Panel } from '../../components/index.ts';
import { formatPercent } from '../../format/index.ts';

/** What each of several slots shows, and how likely that was. */
export function Slots({ decision }: { readonly decision: DecisionRecord }) {
  const { slots, slatePropensity } = decision;
  if (slots === undefined) return null;
  return (
    <Panel
      title="Slots"
      note={slatePropensity === undefined ? undefined : `all of it: ${formatPercent(slatePropensity)}`}
    >
      <ol className="steps">
        {slots.map(({ action, choicePropensity, marginal, marginalError, mode }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a slot is its place
          <li key={index} className={`step step-${action === null ? 'never' : 'done'}`}>
            <span className="step-name">{action ?? 'nothing'}</span>
            <span className="step-text">
              {formatPercent(choicePropensity)} given the slots before, {formatPercent(marginal)}
              {marginalError > 0 && ` ± ${formatPercent(marginalError)}`} whatever they show
            </span>
            <span className="step-time">{action !== null && <ModeTag mode={mode} />}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
