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
  readonly remembered: Remembered;
  readonly sessions: Sessions;
  indexed: number;
  timers: Timers | null;
  /** One per feature, in workspace order; its kind knows what it is. */
  readonly slots: unknown[];
}

export function makeSubject(
  slots: unknown[],
  sessions: Sessions = makeSessions(),
  remembered: Remembered = makeRemembered(),
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
  };
}

/** The base that times in a blob are written against. */
export const baseTime = (newest: number): number => (newest === -Infinity ? 0 : newest);
