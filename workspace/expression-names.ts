/** Types as CEL knows them; `dyn` is decided when the value is there. Numbers are always double. */
export type CelType =
  | 'double'
  | 'string'
  | 'bool'
  | 'list'
  | 'list<string>'
  | 'map'
  | 'map<string, double>'
  | 'dyn';

/** What one expression may read, by the place it stands in. */
export interface ExpressionNames {
  /** Features by name; null where features can't be read. */
  readonly features: ReadonlyMap<string, CelType> | null;
  readonly event: EventNames | null;
  /** The candidate's attributes; null where there is no candidate. */
  readonly action: ReadonlyMap<string, CelType> | null;
  /** Whether `context.<name>` can be read. */
  readonly context: boolean;
}

/** Properties of the event types that an expression can meet. */
export interface EventNames {
  /** Declared types; properties that several event types declare differently are dyn. */
  readonly properties: ReadonlyMap<string, CelType>;
  /** Whether other properties may be read too (as dyn). */
  readonly isOpen: boolean;
}
