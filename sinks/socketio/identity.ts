import { partitionOf, rawIdOf, type SubjectId } from '../../core/index.ts';
import type { InboxAddress } from './inbox/index.ts';

/** Whom a socket speaks for, as its credentials say; never as its messages say. */
export interface Identity {
  readonly tenant: string;
  readonly subject: SubjectId;
  readonly session: string | null;
  /** When the credentials end, Unix ms: the socket is closed then. Absent: they don't. */
  readonly expiresAt?: number | null;
}

/**
 * Checks the `auth` object of a Socket.IO handshake: `{key, anonymousId, session?}` speaks for an anonymous visitor,
 * `{token}` for whom the shop's backend says. Rejects with PresageError, whose code and message go to the browser.
 */
export type Authenticate = (auth: Readonly<Record<string, unknown>>) => Promise<Identity>;

/**
 * The known user that an anonymous id has become, if the link is vouched for (docs/identity.md): whoever holds the id
 * may see what is decided for the user. Null: none.
 */
export type FindLink = (who: Identity) => Promise<SubjectId | null>;

/** Where the subject's offers wait; `partitions` is the log's. */
export function addressOf(
  { tenant, subject }: { readonly tenant: string; readonly subject: SubjectId },
  partitions: number,
): InboxAddress {
  return { partition: partitionOf(rawIdOf(subject), partitions), tenant, subject };
}

/** The Socket.IO room of all of a subject's sockets. A tenant's name has no slash. */
export const roomOf = ({ tenant, subject }: { readonly tenant: string; readonly subject: string }): string =>
  `${tenant}/${subject}`;
