import type { FeatureValue } from '../../schemas/index.ts';
import { makeCodec } from './codec.ts';
import { makeDerived } from './derived.ts';
import type { Observation } from './kinds/index.ts';
import { type Form, featuresOf, type Layout, layoutOf, parseLayout } from './layout.ts';
import { hashed, hashText } from './parts/hash.ts';
import { ownId } from './parts/links.ts';
import { forgetBefore, mergeRemembered, newestRemembered, remember } from './parts/remembered.ts';
import { addToSession, mergeSessions, type Run, type SessionRules, sessionAt } from './parts/sessions.ts';
import { keptText } from './parts/text.ts';
import {
  type FeatureConfig,
  isSystemType,
  type Machine,
  makePlans,
  observe,
  type Plan,
  type Plans,
} from './plan.ts';
import type { FeatureEvent, FeatureSet } from './port.ts';
import { makeSubject, type Subject } from './subject.ts';
import { makeTimers, mergeTimers, sessionEnds } from './timers/index.ts';

/** The one observation of a set. Few kinds ask for the id, so its text is made only for them. */
class Seen implements Observation {
  time = 0.5;
  number = 0.5;
  text = '';
  key = '';
  step = 0;
  run: Run | null = null;
  of: FeatureEvent | null = null;

  get id(): string {
    return keptText(this.of?.id ?? '');
  }
}

/** Slots of the features that have one, and the columns of each table. */
function layoutFor({ machines, tables }: Plans): Layout {
  const slotted = machines.filter(({ kind }) => kind.column === undefined);
  return layoutOf(
    slotted.map(({ feature }) => feature.hash),
    tables.map(({ columns }) =>
      columns.map((column) => {
        const { feature } = machines.find(({ kind }) => kind.column === column) as Machine;
        return [feature.hash, feature.kind as Form];
      }),
    ),
  );
}

/** All features of a workspace. The set is not reentrant: it uses the same working memory for every event. */
export function makeFeatureSet(config: FeatureConfig): FeatureSet {
  const rules: SessionRules = {
    gapMs: config.sessionGapMs,
    windowMs: config.deduplicationMs,
    adds: config.features
      .filter((feature) => feature.kind === 'session')
      .map((feature) => feature.measure !== 'duration'),
  };
  const plans = makePlans(config, rules);
  const { machines } = plans;
  const computeDerived = makeDerived(config.features);
  const layout = layoutFor(plans);
  const codec = makeCodec(plans, layout, config, rules);
  /** Copying it gives every vector the same shape, in which a value is then quickly put. */
  const blank = Object.fromEntries(config.features.map(({ name }) => [name, null]));
  const seen = new Seen();
  const scope: {
    features: Record<string, never>;
    event: FeatureEvent['properties'];
    action: null;
    context: null;
  } = { features: {}, event: {}, action: null, context: null };

  function apply(subject: Subject, event: FeatureEvent, plan: Plan): void {
    for (const { where, sources } of plan) {
      if (where !== null) {
        scope.event = event.properties;
        const result = where.evaluate(scope);
        if (result.kind !== 'value' || !result.value) continue;
      }
      for (const source of sources) {
        if (!observe(seen, source, event)) continue;
        for (const { kind, index } of source.machines) kind.update(subject.slots[index], seen, subject);
      }
    }
  }

  function refreshSession(subject: Subject): void {
    subject.session = sessionAt(subject.sessions, subject.newest, rules.gapMs)?.id ?? null;
  }

  function wordsOf(name: string, subject: Subject): string | null {
    const machine = machines.find(({ feature }) => feature.name === name);
    return machine?.kind.words?.(subject.slots[machine.index], subject) ?? null;
  }

  return {
    layout: layout.id,
    layoutDescription: layout.description,
    properties: plans.properties,
    empty: () => makeSubject(machines.map(({ kind }) => kind.empty())),
    update(state, event, position) {
      const subject = state as Subject;
      if (position <= subject.position) return false;
      subject.position = position;
      if (event.isIdHashed !== true) hashText(event.id);
      else {
        hashed.high = event.idHigh ?? 0;
        hashed.low = event.idLow ?? 0;
      }
      if (!remember(subject.remembered, event.time, config.deduplicationIds)) return false;
      seen.time = event.time;
      seen.of = event;
      seen.run = null;
      if (!isSystemType(event.type)) {
        if (event.time > subject.newest) subject.newest = event.time;
        seen.run = addToSession(subject.sessions, event.session, event.time, subject.newest, rules);
        refreshSession(subject);
      }
      forgetBefore(subject.remembered, subject.newest - config.deduplicationMs);
      apply(subject, event, plans.of(event.type));
      return true;
    },
    read(state, at) {
      const subject = state as Subject;
      const values: Record<string, FeatureValue> = { ...blank };
      for (const { feature, kind, index } of machines)
        values[feature.name] = kind.read(subject.slots[index], at, subject);
      computeDerived(values);
      return values;
    },
    activity: (state) => Math.max(state.newest, newestRemembered((state as Subject).remembered)),
    sessionEnds: (state) =>
      sessionEnds((state as Subject).sessions, state.timers?.stretches ?? [], rules.gapMs),
    inspect(state) {
      const subject = state as Subject;
      const { times, start, end } = subject.remembered;
      return {
        remembered: end - start,
        oldestRemembered: end > start ? (times[start] ?? -Infinity) : -Infinity,
        links: (subject.links?.seen ?? []).flatMap(({ anonymousId, hasArrived }) =>
          anonymousId === ownId ? [] : [{ anonymousId, hasArrived }],
        ),
        slots: config.features.map(({ name, kind, derived }) => ({
          name,
          kind,
          words: derived === null ? wordsOf(name, subject) : `from ${derived.inputs.join(', ')}`,
        })),
      };
    },
    encode: (state) => codec.encode(state as Subject),
    decode: (blob) => codec.decode(blob),
    learnLayout: (description) => codec.learn(parseLayout(description)),
    fill(into, from, description) {
      const left = featuresOf(parseLayout(description));
      const target = into as Subject;
      const source = from as Subject;
      for (const { feature, kind, index } of machines) {
        const found = left.indexOf(feature.hash);
        if (found >= 0) left.splice(found, 1);
        else (kind.fill ?? kind.merge)(target.slots[index], source.slots[index], target, source);
      }
    },
    merge(into, from) {
      const target = into as Subject;
      const source = from as Subject;
      target.newest = Math.max(target.newest, source.newest);
      mergeRemembered(target.remembered, source.remembered, config.deduplicationIds);
      forgetBefore(target.remembered, target.newest - config.deduplicationMs);
      mergeSessions(target.sessions, source.sessions, target.newest, rules);
      let refused = 0;
      if (source.timers !== null) {
        target.timers ??= makeTimers();
        refused = mergeTimers(target.timers, source.timers, rules.gapMs);
      }
      for (const { kind, index } of machines)
        kind.merge(target.slots[index], source.slots[index], target, source);
      refreshSession(target);
      return refused;
    },
  };
}
