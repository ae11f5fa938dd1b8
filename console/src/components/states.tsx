import type { ReactNode } from 'react';
import type { ApiError } from '../api/index.ts';

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** Nothing to show, and what would change that. */
export const Empty = ({ title, children }: EmptyProps) => (
  <div className="state">
    <p className="state-title">{title}</p>
    {children !== undefined && <div className="state-text">{children}</div>}
  </div>
);

interface FailureProps {
  readonly what: string;
  readonly error: ApiError;
  readonly onRetry: () => void;
}

/** Something could not be shown: what, why in the gateway's words, and a way to try again. */
export const Failure = ({ what, error, onRetry }: FailureProps) => (
  <div className="state state-failed" role="alert">
    <p className="state-title">{what}</p>
    <p className="state-text">
      {error.message} <code>{error.code}</code>
    </p>
    <button type="button" className="button" onClick={onRetry}>
      Try again
    </button>
  </div>
);

/** Grey lines where content will be. Says "Loading" to those who can't see them. */
export const Loading = ({ lines = 3 }: { readonly lines?: number }) => (
  <div className="loading" role="status">
    <span className="hidden">Loading</span>
    {Array.from({ length: lines }, (_, line) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike and never move.
      <span key={line} className="loading-line" style={{ width: `${92 - ((line * 23) % 47)}%` }} />
    ))}
  </div>
);
