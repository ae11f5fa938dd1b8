/** What push and a browser say to each other over Socket.IO. The client imports these types; all times in ms. */

/** server -> client, event `offer`. The client's acknowledgement means received, not shown. */
export interface WireOffer {
  readonly decision: string;
  readonly action: string;
  readonly placement: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Where the placement has several slots: what to show, in order; the first is `action` and `content`. */
  readonly slots?: readonly {
    readonly action: string;
    readonly content: Readonly<Record<string, unknown>>;
  }[];
  /** Unix milliseconds by the server's clock. */
  readonly expiresAt: number;
  /** What is left of it now: a client counts it down by its own monotonic clock, so a wrong wall clock is harmless. */
  readonly expiresInMs: number;
  /** The trigger that started the decision, or `request`. */
  readonly because: string;
  readonly simulated: boolean;
}

/** client -> server: event name, `{decision}` (and for `claim` the tab), acknowledged with a Reply. */
export type ReportName = 'shown' | 'accepted' | 'dismissed' | 'expired';

export type Reply =
  /** The log has the event: it will not be lost. */
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly retriable: boolean };

/** To `claim`: may this tab show the offer? At most one tab of all the subject's devices hears yes. */
export type ClaimReply =
  | { readonly ok: true; readonly granted: boolean; readonly expiresInMs: number }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly retriable: boolean };

/** The `data` of a refused connection's error. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retriable: boolean;
}
