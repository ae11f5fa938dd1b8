export type Health =
  | { readonly state: 'ok' }
  | { readonly state: 'starting' | 'degraded' | 'down'; readonly why: string };

/** A part of the program with a life cycle. `stop()` drains: stop reading, finish, commit, close. */
export interface Role {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  health(): Health;
}
