import type { Status } from '../../../schemas/index.ts';
import { type Polled, useStore } from '../api/index.ts';
import { liveStore } from '../live/index.ts';
import { Link, type Route, useLocation } from '../router.tsx';
import { StopSwitch } from './StopSwitch.tsx';
import { ThemeButton } from './ThemeButton.tsx';

interface HeaderProps {
  readonly route: Route;
  readonly status: Polled<Status>;
}

export function Header({ route, status }: HeaderProps) {
  const { search } = useLocation();
  // A tenant chosen on one page stays chosen on the next.
  const tenant = new URLSearchParams(search).get('tenant');
  const kept = tenant === null || route.page === 'subject' ? '' : `?tenant=${encodeURIComponent(tenant)}`;
  const isDecisions = route.page === 'decisions' || route.page === 'decision';
  const isReviews = route.page === 'reviews' || route.page === 'review';
  return (
    <header className="top">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <Link to="/" className="brand" aria-label="Presage, to the live page">
        <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" className="brand-ground" />
          <path d="M6 20.5 11.5 14l5 4.5L25 9.5" className="brand-line" />
          <circle cx="25" cy="9.5" r="3.1" className="brand-dot" />
        </svg>
        <span className="brand-name">Presage</span>
      </Link>
      <nav aria-label="Pages" className="nav">
        <Link to={`/${kept}`} aria-current={route.page === 'live' ? 'page' : undefined}>
          Live
        </Link>
        <Link to={`/decisions${kept}`} aria-current={isDecisions ? 'page' : undefined}>
          Decisions
        </Link>
        <Link to={`/reviews${kept}`} aria-current={isReviews ? 'page' : undefined}>
          Reviews
        </Link>
      </nav>
      <div className="top-tools">
        <Connection status={status} />
        <ThemeButton />
        <StopSwitch tenants={status.data?.tenants ?? []} />
      </div>
    </header>
  );
}

/** Whether what the page shows is of now. */
function Connection({ status }: { readonly status: Polled<Status> }) {
  const { state } = useStore(liveStore);
  const isAway = status.error !== null && status.error.status === 0;
  const shown = isAway || state === 'reconnecting' ? 'reconnecting' : state;
  const text = shown === 'live' ? 'Connected' : shown === 'connecting' ? 'Connecting…' : 'Reconnecting…';
  return (
    <span className={`connection connection-${shown}`} role="status">
      {text}
    </span>
  );
}
