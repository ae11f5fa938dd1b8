import type { StoredEvent } from '../../schemas/index.ts';
import type { FeatureEvent } from '../../stream/features/port.ts';

/** An event as a client sent it, with its place in the log. */
export interface Sent {
  readonly event: StoredEvent;
  readonly partition: number;
  readonly position: number;
  readonly appendedAt: number;
}

export interface Assigned {
  /** Each subject's events at the end; `<tenant>:<subject>`. */
  readonly events: ReadonlyMap<string, readonly FeatureEvent[]>;
  /** For each identify that moved a state, by `<partition>/<position>`: the events that went along. */
  readonly moved: ReadonlyMap<string, readonly FeatureEvent[]>;
  /** Places, `<partition>/<position>`, of events that went on to a user, or were repeats of a link that is known. */
  readonly gone: ReadonlySet<string>;
}

interface Visitor {
  events: FeatureEvent[];
  user: string | null;
  readonly linkedBy: Set<string>;
}

/**
 * Whose each event is, by the rules of docs/identity.md and nothing else: no partitions, no batches, no relay. An
 * anonymous id's events are its own until an `identify` makes them, and all later ones, a user's; an `identify` with
 * another user takes only what comes from then on. Events in the order in which they were appended.
 */
export function assign(sent: readonly Sent[]): Assigned {
  const events = new Map<string, FeatureEvent[]>();
  const moved = new Map<string, FeatureEvent[]>();
  const gone = new Set<string>();
  const visitors = new Map<string, Visitor>();
  const give = (key: string, ...more: FeatureEvent[]) =>
    events.set(key, [...(events.get(key) ?? []), ...more]);

  for (const { event, partition, position, appendedAt } of sent) {
    const { tenant, anonymousId, userId } = event;
    const seen = featureEventOf(event, appendedAt);
    const isIdentify = event.type === 'identify' && anonymousId !== undefined;
    if (anonymousId === undefined || (userId !== undefined && !isIdentify)) {
      give(`${tenant}:u:${userId}`, seen);
      continue;
    }
    const id = `${tenant}:a:${anonymousId}`;
    const visitor: Visitor = visitors.get(id) ?? { events: [], user: null, linkedBy: new Set() };
    visitors.set(id, visitor);
    const user = isIdentify ? userId : undefined;
    if (user === undefined && visitor.user === null) {
      visitor.events.push(seen);
      give(id, seen);
      continue;
    }
    gone.add(`${partition}/${position}`);
    if (user === undefined || user === visitor.user) give(`${tenant}:u:${visitor.user}`, seen);
    else if (!visitor.linkedBy.has(event.id)) {
      visitor.linkedBy.add(event.id);
      moved.set(`${partition}/${position}`, visitor.events);
      give(`${tenant}:u:${user}`, ...visitor.events, seen);
      visitor.events = [];
      visitor.user = user;
      events.delete(id);
    }
  }
  return { events, moved, gone };
}

export const featureEventOf = (event: StoredEvent, appendedAt: number): FeatureEvent => ({
  id: event.id,
  type: event.type,
  time: Math.min(event.time, appendedAt),
  session: event.session ?? null,
  properties: event.properties,
});
