import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import type { Status } from '../../../schemas/index.ts';
import { asApiError, switchActions } from '../api/index.ts';

interface StopDialogProps {
  readonly what: 'stop' | 'resume';
  /** Those it can be done to. */
  readonly tenants: Status['tenants'];
  readonly onClose: () => void;
}

const words = {
  stop: {
    title: 'Stop every action?',
    text: 'Nothing is delivered any more, from the next decision on. Decisions are still made and recorded, so that nothing is lost for the figures. Resume at any time.',
    button: 'Stop actions',
    busy: 'Stopping…',
  },
  resume: {
    title: 'Resume actions?',
    text: 'Offers are delivered again, from the next decision on. What was decided meanwhile is not delivered later.',
    button: 'Resume actions',
    busy: 'Resuming…',
  },
} as const;

export function StopDialog({ what, tenants, onClose }: StopDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [tenant, setTenant] = useState('');
  const [reason, setReason] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const text = words[what];

  useEffect(() => dialog.current?.showModal(), []);

  async function confirm(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await switchActions(what, tenant === '' ? null : tenant, reason.trim());
      dialog.current?.close();
    } catch (error) {
      setProblem(asApiError(error).message);
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={title} onClose={onClose}>
      <form onSubmit={confirm}>
        <h2 id={title}>{text.title}</h2>
        <p>{text.text}</p>
        {tenants.length > 1 && (
          <label className="field">
            <span>Tenant</span>
            <select value={tenant} onChange={(event) => setTenant(event.target.value)}>
              <option value="">all {tenants.length}</option>
              {tenants.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <label className="field">
          <span>
            Reason <i>(goes into the log)</i>
          </span>
          <input
            value={reason}
            maxLength={200}
            placeholder={what === 'stop' ? 'e.g. wrong price in an offer' : ''}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            className={`button ${what === 'stop' ? 'button-danger' : 'button-primary'}`}
            disabled={isBusy}
          >
            {isBusy ? text.busy : text.button}
          </button>
        </div>
      </form>
    </dialog>
  );
}
