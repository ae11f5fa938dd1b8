import type { DecisionRecord } from '../../../../schemas/index.ts';
import { Panel } from '../../components/index.ts';
import { formatAnything } from '../../format/index.ts';

/** What the client was given to show: the usual fields as a card, all of them as they are below it. */
export function OfferPreview({ decision }: { readonly decision: DecisionRecord }) {
  const { offer } = decision;
  if (offer === null) return null;
  const text = (...names: string[]): string | null => {
    const value = names.map((name) => offer.content[name]).find((found) => typeof found === 'string');
    return typeof value === 'string' ? value : null;
  };
  const title = text('title', 'headline', 'heading');
  const body = text('body', 'text', 'message', 'description');
  const button = text('cta', 'button', 'label', 'action');
  const entries = Object.entries(offer.content);
  return (
    <Panel
      title="Offer"
      note={decision.mode === 'act' ? 'as the client got it' : 'as a client would have got it'}
    >
      {(title !== null || body !== null) && (
        <div className="offer">
          {title !== null && <p className="offer-title">{title}</p>}
          {body !== null && <p className="offer-body">{body}</p>}
          {button !== null && <span className="offer-button">{button}</span>}
        </div>
      )}
      {entries.length === 0 ? (
        <p className="panel-foot">This action has no content; the client knows it by its name.</p>
      ) : (
        <dl className="pairs">
          {entries.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{formatAnything(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Panel>
  );
}
