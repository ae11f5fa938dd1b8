import { createHash } from 'node:crypto';
import type { StoredEvent } from '../../schemas/index.ts';
import type { FeatureEvent } from '../../stream/features/port.ts';
import { type Choice, capsEnd, resolve, type Take } from './caps.ts';
import {
  forgotten,
  type Open,
  openAbsences,
  openSessions,
  order,
  type PersonalEvent,
  type WaitRules,
} from './waits.ts';

/**
 * What the stream must make of a log, from the definitions and by brute force: one record after the other, in the order
 * in which they were appended to any partition, with whole histories and unbounded memory. No batches, no workers, no
 * commits; nothing of the engine's. What `$transfer` records carry is not looked at: it is worked out anew.
 */
export interface LoggedRecord {
  readonly partition: number;
  readonly position: number;
  readonly appendedAt: number;
  /** Null: bytes that are no event. */
  readonly event: StoredEvent | null;
  /** Why decoding must refuse it; null: it must not. */
  readonly poison: string | null;
}

export interface StreamRules extends WaitRules {
  readonly delayMs: number;
  readonly defaultLatenessMs: number;
  readonly latenessMs: Readonly<Record<string, number>>;
  /** Silence after which a person is forgotten. */
  readonly ttlMs: number;
  /** A link is known to be in use to within this time. */
  readonly linkUseMs: number;
  /** How long a user's record tells of an anonymous id whose state may be on its way. */
  readonly pendingMs: number;
  readonly onEvent: readonly { name: string; type: string; when: (event: StoredEvent) => boolean }[];
  readonly conditions: readonly {
    name: string;
    reads: string;
    when: (value: unknown) => boolean;
    /** Null: only when it becomes true. */
    cooldownMs: number | null;
  }[];
  readonly actions: (features: Features, session: string | null, at: number) => Choice[];
  /** Features at a time, after these events. */
  readonly features: (events: readonly FeatureEvent[], at: number, only?: string) => Features;
  /** The session that is current at the subject's newest event. */
  readonly session: (events: readonly FeatureEvent[]) => string | null;
  readonly placement: string;
}

export type Features = Readonly<Record<string, unknown>>;

export interface ExpectedDecision {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly session: string | null;
  readonly trigger: string;
  /** Id of the event, or `timer`. */
  readonly cause: string;
  readonly time: number;
  readonly position: number;
  readonly features: Features;
  readonly action: string | null;
  readonly available: readonly string[];
  readonly capsSeen: readonly { readonly action: string; readonly used: number; readonly limit: number }[];
  readonly mode: 'act' | 'stopped';
  readonly pendingTransfers: readonly string[];
}

export interface ExpectedPartition {
  readonly decisions: ExpectedDecision[];
  readonly duplicates: number[];
  readonly late: [position: number, lateMs: number][];
  readonly clamped: number[];
  readonly dead: [position: number, code: string][];
  readonly forwarded: number[];
  readonly redelivered: number[];
}

export interface Expected {
  readonly partitions: readonly ExpectedPartition[];
  /** `<partition>/<tenant>:<subject>`; what each knows at the end. */
  readonly people: ReadonlyMap<string, Person>;
  /** What went on to a user, by `<partition>/<position>`, and whether it has arrived. */
  readonly moves: ReadonlyMap<string, { readonly to: string; hasArrived: boolean }>;
  /** Not null: the log goes beyond what docs/triggers.md promises of timers; what exactly they do is not defined. */
  readonly beyond: string | null;
  /** How often someone was forgotten. */
  readonly forgettings: number;
}

export interface Person {
  events: PersonalEvent[];
  fired: Set<string>;
  told: { readonly name: string | null; readonly last: number }[];
  held: Map<string, { isTrue: boolean; firedAt: number }>;
  takes: Take[];
  seen: { readonly id: string; readonly since: number; hasArrived: boolean }[];
  moved: { to: string; readonly by: Set<string>; newest: number } | null;
  /** Of someone forgotten: when caps that could still count are looked at again. */
  capsLookAt: number | null;
  /** How often this person has been forgotten. */
  forgotten: number;
}

const nobody = (): Person => ({
  events: [],
  fired: new Set(),
  told: [],
  held: new Map(),
  takes: [],
  seen: [],
  moved: null,
  capsLookAt: null,
  forgotten: 0,
});

interface Clockwork {
  ticked: number;
  readonly newest: Map<string, number>;
}

export function referenceStream(
  log: readonly LoggedRecord[],
  partitions: number,
  rules: StreamRules,
): Expected {
  const out = Array.from(
    { length: partitions },
    (): ExpectedPartition => ({
      decisions: [],
      duplicates: [],
      late: [],
      clamped: [],
      dead: [],
      forwarded: [],
      redelivered: [],
    }),
  );
  const people = new Map<string, Person>();
  const clocks = new Map<string, Clockwork>();
  const stopped = new Set<string>();
  const moves = new Map<string, { to: string; hasArrived: boolean; state: Person | null; toLife?: number }>();
  let beyond: string | null = null;
  let forgettings = 0;
  for (const record of log) process(record);
  return { partitions: out, people, moves, beyond, forgettings };

  function process({ partition, position, appendedAt, event: logged, poison }: LoggedRecord): void {
    const mine = out[partition] as ExpectedPartition;
    if (poison !== null || logged === null) {
      mine.dead.push([position, poison ?? 'not_json']);
      return;
    }
    const { tenant } = logged;
    const place = `${partition}/${tenant}`;
    if (logged.type === '$control') {
      if (logged.properties.control === 'stop') stopped.add(place);
      else if (logged.properties.control === 'resume') stopped.delete(place);
      return;
    }
    const isArrival = logged.type === '$transfer' || logged.type === '$forward';
    const moved = isArrival ? (logged.properties as unknown as Moved) : null;
    const event = moved?.event ?? logged;
    const from = moved === null ? '' : `${moved.from.partition}/${moved.from.position}`;
    const move = moves.get(from);
    const subject = moved === null ? subjectOf(event) : `u:${logged.userId}`;
    const key = `${tenant}:${subject}`;
    if (move?.hasArrived) {
      // Whoever was forgotten has forgotten what came, too.
      if (move.toLife !== personOf(key).forgotten) beyond ??= `${from} came again`;
      mine.redelivered.push(position);
      return;
    }
    const time = moved?.from.time ?? Math.min(event.time, appendedAt);
    const isTick = event.type === '$tick';
    const clock = clocks.get(place) ?? { ticked: -Infinity, newest: new Map() };
    clocks.set(place, clock);
    const before = watermark(clock);
    if (isTick) clock.ticked = Math.max(clock.ticked, time);
    else clock.newest.set(key, Math.max(clock.newest.get(key) ?? -Infinity, time));
    const now = Math.max(before, watermark(clock));
    clock.ticked = Math.max(clock.ticked, now);

    fireUpTo(now - rules.delayMs, null);
    if (isTick) {
      const { leader } = event.properties as { leader?: { leader: string; time: number } };
      if (leader) fireUpTo(Math.min(leader.time, appendedAt) - rules.delayMs, leader.leader);
      return;
    }
    fireUpTo(time - rules.delayMs, key);

    const person = personOf(key);
    const lateMs = Math.max(now, newestOf(person)) - time;
    const isLate = lateMs > (rules.latenessMs[event.type] ?? rules.defaultLatenessMs);
    const isClamped = time < event.time;
    if (event.type === 'alias') {
      mine.dead.push([position, 'merge_of_known']);
      return;
    }
    if (moved === null && subject.startsWith('a:') && goesOn(person, event, position, mine)) {
      closeOrForward(person, event, time, `${partition}/${position}`);
      person.capsLookAt = null;
      mine.forwarded.push(position);
      return;
    }
    if (mine.duplicates.at(-1) === position) return;
    if (move) {
      move.hasArrived = true;
      move.toLife = person.forgotten;
      if (logged.type === '$transfer') {
        if (move.state !== null) {
          beyond ??= beyondMerge(person, move.state, now, moved?.from.partition ?? 0, tenant);
          merge(person, move.state);
        }
        sight(person, moved?.from.anonymousId ?? '', time, true);
      }
    } else if (subject.startsWith('u:') && event.anonymousId !== undefined)
      sight(person, event.anonymousId, time, false);
    if (person.events.some(({ id }) => id === event.id)) {
      mine.duplicates.push(position);
      return;
    }
    if (isClamped) mine.clamped.push(position);
    if (isLate) mine.late.push([position, lateMs]);
    person.capsLookAt = null;
    person.events.push({
      id: event.id,
      type: event.type,
      time,
      session: event.session ?? null,
      properties: event.properties,
      isLate,
    });
    if (isLate) {
      // It starts no decision: a session that is over at once is not told.
      const present = Math.max(now, newestOf(person));
      const cameAlong = (move?.state?.events.length ?? 0) > 0;
      for (const { told, due } of event.type.startsWith('$') || cameAlong ? [] : openOf(person))
        if (told !== null && time >= told.first && time <= told.last && due + rules.delayMs <= present)
          person.told.push(told);
      return;
    }
    const asked = { subject, cause: event.id, position };
    for (const { name, type, when } of rules.onEvent)
      if (type === event.type && when(event)) decide(person, { ...asked, trigger: name, time });
    if (event.type.startsWith('$')) return;
    const present = newestOf(person);
    for (const { name, reads, when, cooldownMs } of rules.conditions) {
      const held = person.held.get(name) ?? { isTrue: false, firedAt: -Infinity };
      const isTrue = when(rules.features(person.events, present, reads)[reads]);
      const isCool = cooldownMs === null || present >= held.firedAt + cooldownMs;
      const fires = isTrue && isCool && (cooldownMs !== null || !held.isTrue);
      person.held.set(name, { isTrue, firedAt: fires ? present : held.firedAt });
      if (!isTrue && isCool) person.held.delete(name);
      if (fires) decide(person, { ...asked, trigger: name, time: present });
    }

    function personOf(whose: string): Person {
      const place = `${partition}/${whose}`;
      const known = people.get(place) ?? nobody();
      people.set(place, known);
      return known;
    }

    /** All timers of the tenant in this partition, or one subject's, that are due by then, in their order. */
    function fireUpTo(until: number, only: string | null): void {
      for (;;) {
        const due = [...people]
          .filter(([place]) => place.startsWith(`${partition}/${tenant}:`))
          .map(([place, person]) => ({ key: place.slice(place.indexOf('/') + 1), person }))
          .filter(({ key }) => only === null || key === only)
          .flatMap(({ key, person }) => {
            const ending = only === null ? endOf(person) : null;
            const all = ending === null ? openOf(person) : [...openOf(person), ending];
            return all.map((open) => ({ key, person, open }));
          })
          .filter(({ open }) => open.due <= until)
          .sort(
            (a, b) =>
              a.open.due - b.open.due ||
              order(a.key, b.key) ||
              Number(a.open.trigger === ending) - Number(b.open.trigger === ending) ||
              order(a.open.trigger, b.open.trigger) ||
              order(a.open.key, b.open.key),
          );
        const [next] = due;
        if (next === undefined) return;
        // All of this subject and time together: what one of them does takes nothing from the others.
        for (const { key, person, open } of due.filter((one) => isWith(one, next))) {
          if (open.trigger === ending) {
            forget(person, until);
            continue;
          }
          person.fired.add(open.once);
          if (open.told !== null) person.told.push(open.told);
          const whose = key.slice(tenant.length + 1);
          const cause = `timer:${open.due}${open.key === '' ? '' : `:${open.key}`}`;
          decide(person, {
            subject: whose,
            trigger: open.trigger,
            cause,
            time: open.due,
            position: position - 1,
            session: open.session,
          });
        }
      }
    }

    function decide(
      person: Person,
      asked: {
        subject: string;
        trigger: string;
        cause: string;
        time: number;
        position: number;
        session?: string | undefined;
      },
    ): void {
      const { subject, trigger, cause, time } = asked;
      const features = rules.features(person.events, time);
      const session = asked.session === undefined ? rules.session(person.events) : asked.session;
      const isStopped = stopped.has(place);
      const choices = rules.actions(features, session, time);
      const { chosen, available, capsSeen } = resolve(
        person.takes,
        isStopped ? choices.map((choice) => ({ ...choice, caps: [] })) : choices,
      );
      mine.decisions.push({
        id: contentId('decision', tenant, subject, cause, trigger, rules.placement),
        tenant,
        subject,
        session,
        trigger,
        cause: cause.startsWith('timer:') ? 'timer' : cause,
        time,
        position: asked.position,
        features,
        action: chosen,
        available,
        capsSeen,
        mode: isStopped ? 'stopped' : 'act',
        pendingTransfers: person.seen
          .filter(({ hasArrived, since }) => !hasArrived && time < since + rules.pendingMs)
          .map(({ id }) => id),
      });
    }
  }

  /** Whether an anonymous id's event is a user's by now; a repeat of the `identify` that made it so goes nowhere. */
  function goesOn(person: Person, event: StoredEvent, position: number, mine: ExpectedPartition): boolean {
    const user = event.type === 'identify' ? event.userId : undefined;
    if (user === undefined || user === person.moved?.to) return person.moved !== null;
    const isKnown = person.moved?.by.has(event.id) ?? person.events.some(({ id }) => id === event.id);
    if (isKnown) mine.duplicates.push(position);
    return !isKnown;
  }

  function closeOrForward(person: Person, event: StoredEvent, time: number, place: string): void {
    const user = event.type === 'identify' ? event.userId : undefined;
    if (user === undefined || user === person.moved?.to) {
      moves.set(place, { to: person.moved?.to ?? '', hasArrived: false, state: null });
      const { moved } = person;
      if (moved !== null && time >= moved.newest + rules.linkUseMs) moved.newest = time;
      return;
    }
    const isFirst = person.moved === null;
    moves.set(place, { to: user, hasArrived: false, state: isFirst ? { ...person } : null });
    const newest = Math.max(time, newestOf(person));
    const by = person.moved?.by ?? new Set();
    const { forgotten } = person;
    Object.assign(person, nobody(), { forgotten, moved: { to: user, by: by.add(event.id), newest } });
  }

  /** When a person will be forgotten, or what is left of one that was is looked at again. */
  function endOf({ events, moved, capsLookAt }: Person): Open | null {
    const newest = Math.max(moved?.newest ?? -Infinity, ...events.map(({ time }) => time));
    const due = newest === -Infinity ? capsLookAt : newest + rules.ttlMs;
    return due === null ? null : { trigger: ending, key: '', due, once: '', told: null };
  }

  function forget(person: Person, at: number): void {
    const isKnown = person.events.length > 0 || person.moved !== null;
    const takes = capsEnd(person.takes, rules.ttlMs) <= at ? [] : person.takes;
    Object.assign(person, nobody(), {
      takes,
      capsLookAt: takes.length > 0 ? at + rules.ttlMs : null,
      forgotten: person.forgotten + (isKnown ? 1 : 0),
    });
    forgettings += 1;
  }

  function merge(into: Person, from: Person): void {
    into.events.push(...from.events);
    for (const once of from.fired) into.fired.add(once);
    into.told.push(...from.told);
    into.takes.push(...from.takes);
    for (const [name, { isTrue, firedAt }] of from.held) {
      const known = into.held.get(name) ?? { isTrue: false, firedAt: -Infinity };
      into.held.set(name, {
        isTrue: known.isTrue || isTrue,
        firedAt: Math.max(known.firedAt, firedAt),
      });
    }
  }

  function beyondMerge(into: Person, from: Person, now: number, partition: number, tenant: string) {
    const other = clocks.get(`${partition}/${tenant}`);
    const clock = Math.max(now, other === undefined ? -Infinity : watermark(other));
    return forgotten(into, from, clock, rules);
  }

  function openOf({ events, fired, told }: Person): Open[] {
    if (events.length === 0) return [];
    return [...openAbsences(events, fired, rules), ...openSessions(events, told, rules)];
  }
}

/** Sorts after the names of triggers. */
const ending = '\uffff';

interface Moved {
  readonly from: { partition: number; position: number; anonymousId: string; time: number };
  readonly event: StoredEvent;
}

const isWith = (one: { key: string; open: Open }, other: { key: string; open: Open }): boolean =>
  one.key === other.key && one.open.due === other.open.due;

const newestOf = ({ events, moved }: Person): number =>
  Math.max(
    moved?.newest ?? -Infinity,
    ...events.filter(({ type }) => !type.startsWith('$')).map(({ time }) => time),
  );

/** The newest event time that two subjects have reached, or that a tick has told. */
const watermark = ({ ticked, newest }: Clockwork): number =>
  Math.max(ticked, [...newest.values()].sort((a, b) => b - a)[1] ?? -Infinity);

function sight(person: Person, id: string, since: number, hasArrived: boolean): void {
  const known = person.seen.find((one) => one.id === id);
  if (known !== undefined) known.hasArrived ||= hasArrived;
  else person.seen.push({ id, since, hasArrived });
}

const subjectOf = ({ type, userId, anonymousId }: StoredEvent): string =>
  userId === undefined || (type === 'identify' && anonymousId !== undefined)
    ? `a:${anonymousId}`
    : `u:${userId}`;

function contentId(...parts: readonly string[]): string {
  const text = parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
