/**
 * What each outcome is due to, by brute force: no SQL, no code of the product. Every fact is looked at for every
 * question, in whatever order it came.
 */
export interface Fact {
  readonly tenant: string;
  readonly subject: string;
  readonly position: number;
  readonly time: number;
  readonly received: number;
}
export interface DecisionFact {
  readonly tenant: string;
  readonly id: string;
  readonly decided: number;
  readonly simulated: boolean;
}
export interface ExposureFact extends Fact {
  readonly decision: string;
}
export interface OutcomeFact extends Fact {
  readonly decision: string;
  readonly outcome: string;
  readonly id: string;
  /** In cents. */
  readonly value: number | null;
}
export interface EventFact extends Fact {
  readonly id: string;
  readonly type: string;
  readonly simulated: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
}
export interface MoveFact {
  readonly tenant: string;
  readonly anonymousId: string;
  readonly userId: string;
  readonly sourcePosition: number;
  readonly received: number;
}
export interface Facts {
  readonly decisions: readonly DecisionFact[];
  readonly exposures: readonly ExposureFact[];
  readonly outcomes: readonly OutcomeFact[];
  readonly events: readonly EventFact[];
  readonly moves: readonly MoveFact[];
}
export interface MetricRule {
  readonly name: string;
  readonly types: readonly string[];
  readonly holds: (properties: Readonly<Record<string, unknown>>) => boolean;
  /** In cents. */
  readonly amount: (properties: Readonly<Record<string, unknown>>) => number;
  readonly oncePer: string | null;
  readonly decision: string | null;
  readonly windowMs: number;
  readonly timeoutMs: number;
}
export interface Rules {
  readonly timeoutMs: number;
  readonly windowMs: number;
  readonly metrics: readonly MetricRule[];
}
export interface Labelled {
  readonly decision: string;
  readonly metric: string;
  readonly shownAt: number | null;
  readonly response: string | null;
  readonly label: 0 | 1 | null;
  readonly mature: boolean;
  readonly first: number | null;
  readonly successes: number;
  readonly cents: number;
}

interface Success {
  readonly metric: string;
  readonly person: string;
  readonly simulated: boolean | null;
  readonly time: number;
  readonly id: string;
  readonly key: string;
  readonly named: string;
  readonly cents: number;
}

/** All labels of one tenant's decisions, as known at `at`. */
export function labelsOf(all: Facts, rules: Rules, tenant: string, at: number): Labelled[] {
  const known = <T extends { tenant: string; received: number }>(facts: readonly T[]): T[] =>
    facts.filter((fact) => fact.tenant === tenant && fact.received <= at);
  const decisions = all.decisions.filter((one) => one.tenant === tenant && one.decided <= at);
  const moves = known(all.moves);
  const person = (fact: { subject: string; position: number }): string => {
    const next = moves
      .filter((move) => `a:${move.anonymousId}` === fact.subject && move.sourcePosition > fact.position)
      .sort((a, b) => a.sourcePosition - b.sourcePosition)[0];
    return next === undefined ? fact.subject : `u:${next.userId}`;
  };
  // The first report of an exposure stands.
  const firstExposures = all.exposures.filter(
    (one) =>
      one.tenant === tenant &&
      !all.exposures.some(
        (other) =>
          other.tenant === tenant && other.decision === one.decision && other.position < one.position,
      ),
  );
  const shown = known(firstExposures).flatMap((one) => {
    const made = decisions.find(({ id }) => id === one.decision);
    return made === undefined ? [] : [{ ...one, person: person(one), simulated: made.simulated }];
  });
  const outcomes = known(all.outcomes).filter(
    (one, index, list) =>
      list.findIndex(
        (other) => other.decision === one.decision && other.outcome === one.outcome && other.id === one.id,
      ) === index,
  );
  const windows = new Map(rules.metrics.map(({ name, windowMs }) => [name, windowMs]));

  const successes: Success[] = [
    ...outcomes
      .filter(({ outcome }) => outcome === 'converted')
      .map((one) => ({
        metric: 'converted',
        person: person(one),
        simulated: null,
        time: one.time,
        id: one.id,
        key: `${person(one)} ${one.id}`,
        named: one.decision,
        cents: one.value ?? 0,
      })),
    ...rules.metrics.flatMap((metric) =>
      known(all.events)
        .filter(({ type, properties }) => metric.types.includes(type) && metric.holds(properties))
        .map((event): Success => {
          const text = (property: string | null): string =>
            property === null || event.properties[property] === undefined
              ? ''
              : String(event.properties[property]);
          const once = text(metric.oncePer);
          return {
            metric: metric.name,
            person: person(event),
            simulated: event.simulated,
            time: event.time,
            id: event.id,
            key: once === '' ? `${person(event)} ${event.type} ${event.id}` : `once ${once}`,
            named: text(metric.decision),
            cents: metric.amount(event.properties),
          };
        }),
    ),
  ];

  const due = successes.map((success) => {
    const windowMs = windows.get(success.metric) ?? rules.windowMs;
    const isIn = ({ time }: { time: number }): boolean => success.time - time <= windowMs;
    if (success.named !== '') {
      const named = shown.find(({ decision }) => decision === success.named);
      const decision = named !== undefined && isIn(named) ? named.decision : null;
      return { ...success, decision, isNamed: decision !== null };
    }
    const [last] = shown
      .filter(
        (one) =>
          one.person === success.person &&
          one.simulated === success.simulated &&
          one.time <= success.time &&
          isIn(one),
      )
      .sort((a, b) => b.time - a.time || (a.decision < b.decision ? 1 : -1));
    return { ...success, decision: last?.decision ?? null, isNamed: false };
  });
  const stands = (one: (typeof due)[number], place: number): boolean =>
    !due.some((other, index) => {
      if (other.metric !== one.metric || other.key !== one.key || index === place) return false;
      const order = compare(other, one);
      return order < 0 || (order === 0 && index < place);
    });
  const credited = due.filter(stands);

  return decisions.flatMap(({ id }) =>
    ['accepted', 'converted', ...rules.metrics.map(({ name }) => name)].map((metric): Labelled => {
      const exposure = shown.find(({ decision }) => decision === id);
      const rule = rules.metrics.find(({ name }) => name === metric);
      const [windowMs, timeoutMs] =
        metric === 'accepted'
          ? [rules.timeoutMs, rules.timeoutMs]
          : [rule?.windowMs ?? rules.windowMs, rule?.timeoutMs ?? rules.windowMs];
      if (exposure === undefined)
        return {
          decision: id,
          metric,
          shownAt: null,
          response: null,
          label: null,
          mature: false,
          first: null,
          successes: 0,
          cents: 0,
        };
      const of = (name: string) =>
        outcomes.filter(({ decision, outcome }) => decision === id && outcome === name);
      const response =
        ['accepted', 'dismissed', 'expired'].find((name) => of(name).length > 0) ??
        (of('ignored').length > 0 || at >= exposure.time + rules.timeoutMs ? 'ignored' : 'waiting');
      const mine =
        metric === 'accepted'
          ? of('accepted').map(({ time }) => ({ time, cents: 0 }))
          : credited.filter((one) => one.metric === metric && one.decision === id);
      const isNegative = metric === 'accepted' ? response !== 'waiting' : at >= exposure.time + timeoutMs;
      return {
        decision: id,
        metric,
        shownAt: exposure.time,
        response,
        label: mine.length > 0 ? 1 : isNegative ? 0 : null,
        mature: at >= exposure.time + windowMs,
        first: mine.length > 0 ? Math.min(...mine.map(({ time }) => time)) : null,
        successes: metric === 'accepted' ? Math.min(1, mine.length) : mine.length,
        cents: mine.reduce((sum, { cents }) => sum + cents, 0),
      };
    }),
  );
}

interface Copy {
  readonly isNamed: boolean;
  readonly time: number;
  readonly id: string;
  readonly decision: string | null;
}

/** Of several events that are one, the first of these stands: one that names its decision, else the earliest. */
function compare(a: Copy, b: Copy): number {
  if (a.isNamed !== b.isNamed) return a.isNamed ? -1 : 1;
  if (a.time !== b.time) return a.time - b.time;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  if (a.decision === b.decision) return 0;
  if (a.decision === null || b.decision === null) return a.decision === null ? 1 : -1;
  return a.decision < b.decision ? -1 : 1;
}
