import { tryAgain } from '../api/index.ts';
import { Copy } from '../components/index.ts';
import { useTitle } from '../router.tsx';

/** For those whom the gateway doesn't know: how to get in. */
export function SignedOut() {
  useTitle('Sign in');
  const command = `npx presage link${window.location.port === '' ? '' : ` --port ${window.location.port}`}`;
  return (
    <main className="alone" id="content">
      <svg width="44" height="44" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="brand-ground" />
        <path d="M6 20.5 11.5 14l5 4.5L25 9.5" className="brand-line" />
        <circle cx="25" cy="9.5" r="3.1" className="brand-dot" />
      </svg>
      <h1>Sign in with a one-time link</h1>
      <p>
        This console has no passwords. Presage printed a link when it started; it works once, for 15 minutes.
        For a new one, run this where Presage is installed and open what it prints:
      </p>
      <div className="command">
        <code>{command}</code>
        <Copy text={command} what="the command" />
      </div>
      <p className="quiet">
        Signed in already in another tab?{' '}
        <button type="button" className="button" onClick={tryAgain}>
          Try again
        </button>
      </p>
      <p className="quiet">A sign-in lasts 12 hours.</p>
    </main>
  );
}
