import type { Links } from './parts/links.ts';
import type { Moved } from './parts/moved.ts';
import { makeRemembered, type Remembered } from './parts/remembered.ts';
import { makeSessions, type Sessions } from './parts/sessions.ts';
import type { SubjectState } from './port.ts';
import type { Timers } from './timers/index.ts';

/** What is behind the opaque SubjectState. */
export interface Subject extends SubjectState {
  position: number;
  /** Newest event time of ordinary events; those of the engine itself (`$...`) don't move it. */
  newest: number;
  session: string | null;
  remembered: Remembered;
  sessions: Sessions;
  indexed: number;
  timers: Timers | null;
  /** One per feature, in workspace order; its kind knows what it is. */
  slots: unknown[];
  /** Rows of the features that share buckets: parts/table.ts makes and knows them. */
  tables: number[][];
  /** Null for most: no anonymous id was ever seen beside it. */
  links: Links | null;
  moved: Moved | null;
}

export function makeSubject(
  slots: unknown[],
  sessions: Sessions = makeSessions(),
  remembered: Remembered = makeRemembered(),
  moved: Moved | null = null,
): Subject {
  return {
    position: -1,
    newest: -Infinity,
    session: null,
    indexed: Infinity,
    timers: null,
    remembered,
    sessions,
    slots,
    tables: [],
    links: null,
    moved,
  };
}

/** The base that times in a blob are written against. */
export const baseTime = (newest: number): number => (newest === -Infinity ? 0 : newest);
