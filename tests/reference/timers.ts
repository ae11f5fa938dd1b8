import { order, sessionsOf } from './waits.ts';

/**
 * What triggers and timers must do, from their definitions and with unbounded memory: at each record everything is
 * worked out anew from all events so far. Slow, and written without the engine's code.
 */
export interface TimedEvent {
  readonly id: string;
  readonly subject: string;
  readonly type: string;
  /** Event time, clamped. */
  readonly time: number;
  readonly session?: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface ReferenceRules {
  readonly gapMs: number;
  readonly delayMs: number;
  readonly latenessMs: number;
  readonly ttlMs: number;
}

export interface Fired {
  readonly subject: string;
  readonly trigger: string;
  readonly time: number;
  /** Id of its event, or `timer`. */
  readonly cause: string;
}

interface Person {
  events: (TimedEvent & { readonly isLate: boolean })[];
  fired: Set<string>;
  told: { readonly name: string | null; readonly last: number }[];
  wasDear: boolean;
  stayedAt: number;
}

const nobody = (): Person => ({
  events: [],
  fired: new Set(),
  told: [],
  wasDear: false,
  stayedAt: -Infinity,
});

export function referenceDecisions(log: readonly TimedEvent[], rules: ReferenceRules): Fired[] {
  const people = new Map<string, Person>();
  const newest = new Map<string, number>();
  let ticked = -Infinity;
  const decisions: Fired[] = [];

  const watermark = (): number =>
    Math.max(ticked, [...newest.values()].sort((a, b) => b - a)[1] ?? -Infinity);

  for (const event of log) {
    const before = watermark();
    const isTick = event.type === '$tick';
    if (isTick) ticked = Math.max(ticked, event.time);
    else newest.set(event.subject, Math.max(newest.get(event.subject) ?? -Infinity, event.time));
    const now = Math.max(before, watermark());
    ticked = Math.max(ticked, now);

    for (;;) {
      const due = [...people].flatMap(([subject, person]) => dueOf(subject, person, rules));
      const [next] = due
        .filter((one) => one.due + rules.delayMs <= now)
        .sort((a, b) => a.due - b.due || order(a.subject, b.subject) || Number(a.isEnd) - Number(b.isEnd));
      if (next === undefined) break;
      fireAll(due, next.due, next.subject);
      if (next.isEnd) people.delete(next.subject);
    }
    if (isTick) continue;
    for (;;) {
      const person = people.get(event.subject);
      const due = person === undefined ? [] : dueOf(event.subject, person, rules).filter((one) => !one.isEnd);
      const [next] = due.filter((one) => one.due + rules.delayMs <= event.time).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      fireAll(due, next.due, next.subject);
    }

    const person = people.get(event.subject) ?? nobody();
    people.set(event.subject, person);
    const isLate = Math.max(now, ...person.events.map(({ time }) => time)) - event.time > rules.latenessMs;
    if (person.events.some(({ id }) => id === event.id)) continue;
    person.events.push({ ...event, isLate });
    if (isLate) {
      // It starts no decision: what is over at once is not told.
      const present = Math.max(now, ...person.events.map(({ time }) => time));
      for (const { told, due } of dueOf(event.subject, person, rules))
        if (
          told !== null &&
          event.time >= told.first &&
          event.time <= told.last &&
          due + rules.delayMs <= present
        )
          person.told.push(told);
      continue;
    }
    atEvent(event, person);
  }
  return decisions;

  function fireAll(due: readonly Timer[], time: number, subject: string): void {
    const person = people.get(subject);
    for (const one of due
      .filter((each) => each.due === time && each.subject === subject && !each.isEnd)
      .sort((a, b) => order(a.trigger, b.trigger) || order(a.key, b.key))) {
      person?.fired.add(one.once);
      if (one.told !== null) person?.told.push(one.told);
      decisions.push({ subject, trigger: one.trigger, time, cause: 'timer' });
    }
  }

  function atEvent(event: TimedEvent, person: Person): void {
    const tell = (trigger: string, time: number): void => {
      decisions.push({ subject: event.subject, trigger, time, cause: event.id });
    };
    if (event.type === 'view' && (event.properties.price as number) > 90) tell('viewed', event.time);
    const priced = person.events
      .filter(({ type }) => type === 'view')
      .sort((a, b) => a.time - b.time || order(a.id, b.id))
      .at(-1);
    const price = (priced?.properties.price as number | undefined) ?? Number.NaN;
    const time = Math.max(...person.events.map((one) => one.time));
    if (price > 50 && !person.wasDear) tell('dear', time);
    person.wasDear = price > 50;
    if (price > 70 && time >= person.stayedAt + 20_000) {
      tell('stays_dear', time);
      person.stayedAt = time;
    }
  }
}

interface Timer {
  readonly subject: string;
  readonly trigger: string;
  readonly key: string;
  readonly due: number;
  /** What must not happen twice. */
  readonly once: string;
  readonly told: { readonly name: string | null; readonly first: number; readonly last: number } | null;
  /** The subject is forgotten. */
  readonly isEnd: boolean;
}

function dueOf(subject: string, person: Person, rules: ReferenceRules): Timer[] {
  const { events, fired, told } = person;
  const timers: Timer[] = [];
  const absences = [
    { trigger: 'abandoned', within: 40_000, keyOf: () => '', counts: () => true },
    {
      trigger: 'this_cart',
      within: 30_000,
      keyOf: (one: TimedEvent) => one.properties.id as string,
      counts: (one: TimedEvent) => (one.properties.value as number) > 10,
    },
  ];
  for (const { trigger, within, keyOf, counts } of absences) {
    const begins = events.filter((one) => one.type === 'cart' && !one.isLate && counts(one));
    for (const begin of begins) {
      const due = begin.time + within;
      const key = keyOf(begin);
      const isOver =
        events.some(
          (one) => one.type === 'order' && keyOf(one) === key && one.time >= begin.time && one.time <= due,
        ) || begins.some((one) => keyOf(one) === key && one.time > begin.time && one.time <= due);
      const once = `${trigger} ${key} ${begin.time}`;
      if (!isOver && !fired.has(once) && !timers.some((one) => one.once === once))
        timers.push({ subject, trigger, key, due, once, told: null, isEnd: false });
    }
  }
  for (const { name, first, last } of sessionsOf(
    events.map(({ time, session }) => ({ time, session: session ?? null })),
    rules.gapMs,
  )) {
    if (told.some((one) => one.name === name && one.last >= first && one.last <= last)) continue;
    const due = last + rules.gapMs;
    timers.push({
      subject,
      trigger: 'over',
      key: name ?? '',
      due,
      once: `over ${name} ${due}`,
      told: { name, first, last },
      isEnd: false,
    });
  }
  const silentSince = Math.max(-Infinity, ...events.map(({ time }) => time));
  if (Number.isFinite(rules.ttlMs) && events.length > 0)
    timers.push({
      subject,
      trigger: '',
      key: '',
      due: silentSince + rules.ttlMs,
      once: '',
      told: null,
      isEnd: true,
    });
  return timers;
}
