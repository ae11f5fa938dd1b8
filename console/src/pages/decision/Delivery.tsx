import type { DecisionDetail } from '../../../../schemas/index.ts';
import { Panel, Time } from '../../components/index.ts';
import { durationText, formatMoney } from '../../format/index.ts';
import { pushedAt } from '../../live/index.ts';
import { deliverySteps } from './summary.ts';

interface DeliveryProps {
  readonly detail: DecisionDetail;
  readonly currency: string | null;
}

/** From decided to outcome, each step with the time since the one before. */
export function Delivery({ detail, currency }: DeliveryProps) {
  const { decision, outcomes } = detail;
  const steps = deliverySteps(detail, pushedAt(decision.id), Date.now());
  const value = outcomes.find((outcome) => outcome.value !== null)?.value ?? null;
  return (
    <Panel
      title="Delivery"
      note={decision.offer === null ? undefined : <Expiry at={decision.offer.expiresAt} />}
    >
      <ol className="steps">
        {steps.map(({ name, at, state, text }, index) => {
          const before = steps.slice(0, index).findLast((step) => step.at !== null)?.at ?? null;
          return (
            <li key={`${name} ${at}`} className={`step step-${state}`}>
              <span className="step-name">{name}</span>
              <span className="step-text">{text}</span>
              <span className="step-time">
                {at === null ? (
                  ''
                ) : (
                  <>
                    <Time at={at} as="ms" />
                    {before !== null && (
                      <span className="quiet"> +{durationText(Math.max(0, at - before))}</span>
                    )}
                  </>
                )}
              </span>
            </li>
          );
        })}
      </ol>
      {value !== null && <p className="panel-foot">Value of the outcome: {formatMoney(value, currency)}</p>}
    </Panel>
  );
}

const Expiry = ({ at }: { readonly at: number }) => (
  <>
    {at > Date.now() ? 'the offer expires' : 'the offer expired'} <Time at={at} />
  </>
);
