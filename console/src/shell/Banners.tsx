import type { Status } from '../../../schemas/index.ts';
import { type Polled, statusPoll } from '../api/index.ts';
import { Time } from '../components/index.ts';
import { formatCount } from '../format/index.ts';
import { StopBanner } from './StopSwitch.tsx';

/** What a reader of any page must know before the page itself. */
export function Banners({ status }: { readonly status: Polled<Status> }) {
  return (
    <>
      {status.error !== null && <Away status={status} />}
      {status.data !== null && <StopBanner tenants={status.data.tenants} />}
      {status.data !== null && <Simulated status={status.data} />}
    </>
  );
}

function Away({ status }: { readonly status: Polled<Status> }) {
  const { error } = status;
  if (error === null) return null;
  return (
    <div className="banner banner-away" role="alert">
      <p>
        <b>{error.message}</b>{' '}
        {status.data === null ? (
          'Trying again every two seconds.'
        ) : (
          <>
            What is shown is from <Time at={status.at} as="clock" />; trying again every two seconds.
          </>
        )}
      </p>
      <button type="button" className="button" onClick={statusPoll.refresh}>
        Try now
      </button>
    </div>
  );
}

function Simulated({ status }: { readonly status: Status }) {
  const { simulatedEvents, events } = status.totals;
  if (!status.simulating && simulatedEvents === 0) return null;
  return (
    <div className="banner banner-simulated">
      <p>
        <b>Simulated data.</b>{' '}
        {simulatedEvents > 0 && (
          <>
            {formatCount(simulatedEvents)} of {formatCount(events)} events come from simulated visitors
            {status.simulating ? ', and more are coming' : ''}.{' '}
          </>
        )}
        {simulatedEvents === 0 && 'Simulated visitors are about to come. '}
        <span className="banner-how">
          Remove it: <code>npx presage reset --demo</code>
        </span>
      </p>
    </div>
  );
}
