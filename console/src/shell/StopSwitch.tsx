import { useState } from 'react';
import type { Status } from '../../../schemas/index.ts';
import { StopDialog } from './StopDialog.tsx';

type Tenants = Status['tenants'];

/**
 * The way to stop every action at once: one press and one confirmation, from every page. It is there also while the
 * status can't be read (no tenants then): that is when it may be needed most.
 */
export function StopSwitch({ tenants }: { readonly tenants: Tenants }) {
  const [isOpen, setOpen] = useState(false);
  const running = tenants.filter((tenant) => !tenant.stopped);
  if (tenants.length > 0 && running.length === 0) return null;
  return (
    <>
      <button
        type="button"
        className="button button-stop"
        onClick={() => setOpen(true)}
        aria-haspopup="dialog"
      >
        <span className="stop-sign" aria-hidden="true" />
        <span>
          Stop<span className="wide-only"> actions</span>
        </span>
      </button>
      {isOpen && <StopDialog what="stop" tenants={running} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Seen on every page while anything is stopped. */
export function StopBanner({ tenants }: { readonly tenants: Tenants }) {
  const [isOpen, setOpen] = useState(false);
  const stopped = tenants.filter((tenant) => tenant.stopped);
  if (stopped.length === 0) return null;
  const which = stopped.length === tenants.length ? 'All actions are stopped' : 'Actions are stopped';
  const names = stopped.map((tenant) => tenant.name).join(', ');
  return (
    <div className="banner banner-stopped" role="alert">
      <p>
        <b>{which}</b> for {names}. Decisions go on being made and recorded; nothing is delivered.
      </p>
      <button type="button" className="button" onClick={() => setOpen(true)} aria-haspopup="dialog">
        Resume
      </button>
      {isOpen && <StopDialog what="resume" tenants={stopped} onClose={() => setOpen(false)} />}
    </div>
  );
}
