import { useId, useState } from 'react';
import type { DecisionDetail } from '../../../../schemas/index.ts';
import { Copy, Scroll } from '../../components/index.ts';

/** The record as the API gives it, folded away until somebody wants it. */
export function RawRecord({ detail }: { readonly detail: DecisionDetail }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const text = JSON.stringify(detail, null, 2);
  return (
    <div className="raw">
      <div className="raw-tools">
        <button
          type="button"
          className="button"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Hide JSON' : 'Show JSON'}
        </button>
        <Copy text={text} what="the record as JSON" label="Copy JSON" />
      </div>
      <div id={id} hidden={!isOpen}>
        {isOpen && (
          <Scroll label="The record as JSON" className="raw-text">
            <pre>{text}</pre>
          </Scroll>
        )}
      </div>
    </div>
  );
}
