import { expect } from 'vitest';
import { asSubjectId, partitionOf, rawIdOf } from '../../core/index.ts';
import type { DecisionRecord } from '../../schemas/index.ts';
import type { Person } from '../reference/stream.ts';
import { valuesOf } from './rules.ts';
import { features, partitions, type World } from './world.ts';

/** What a decision says, but for decays, which are right within a bound: where they are, they count as equal. */
export function toldOf(decision: DecisionRecord, expected: object = {}) {
  const { id, tenant, subject, session, startedBy, time, log, action, available, capsSeen, mode } = decision;
  return {
    id,
    tenant,
    subject,
    session,
    trigger: startedBy.kind === 'request' ? '' : startedBy.trigger,
    cause: startedBy.kind === 'trigger' ? startedBy.event : 'timer',
    time,
    position: log.position,
    features: settleDecay(decision.features, expected),
    action,
    available,
    capsSeen: capsSeen.map(({ action, used, limit }) => ({ action, used, limit })),
    mode,
    pendingTransfers: decision.identity?.pendingTransfers ?? [],
  };
}

export function settleDecay(actual: object, expected: object) {
  const [mine, theirs] = [actual as { interest: number }, expected as { interest: number }];
  return Math.abs(mine.interest - theirs.interest) < 1e-4
    ? { ...mine, interest: theirs.interest }
    : { ...mine };
}

/** All that the batches of a partition report. What is late or clamped is told of new events only. */
export function reportsIn(entries: Awaited<ReturnType<World['outbox']>>) {
  const reports = entries.flatMap((entry) => (entry.kind === 'batch' ? [entry.batch] : []));
  const dead = entries.flatMap((entry) => (entry.kind === 'dead' ? [entry.dead] : []));
  const duplicates = reports.flatMap((report) => report.duplicates);
  const isNew = (position: number): boolean =>
    !duplicates.includes(position) && !dead.some((letter) => letter.position === position);
  return {
    decisions: undefined,
    covered: reports.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    ),
    duplicates,
    late: reports.flatMap((report) => report.late).filter(([position]) => isNew(position)),
    clamped: reports.flatMap((report) => report.clamped).filter(isNew),
    dead: dead.map(({ position, code }) => [position, code]),
    forwarded: reports.flatMap((report) => report.forwarded ?? []),
    redelivered: reports.flatMap((report) => report.redelivered ?? []),
  };
}

export async function expectFeatures(world: World, place: string, person: Person): Promise<void> {
  const [partition, key = ''] = place.split('/');
  const subject = key.slice(key.indexOf(':') + 1);
  expect(partitionOf(rawIdOf(asSubjectId(subject)), partitions)).toBe(Number(partition));
  const [blob] = await world.store.load(Number(partition), [key]);
  const state = blob ? features.decode(blob) : features.empty();
  expect({ key, moved: state.moved?.to }).toEqual({ key, moved: person.moved?.to });
  if (person.moved !== null) return;
  const newest = Math.max(world.clock.now() - 2_400_000, ...person.events.map(({ time }) => time));
  for (const at of [newest - 100_000, newest]) {
    const expected = valuesOf(person.events, at);
    expect({ key, at, ...settleDecay(features.read(state, at), expected) }).toEqual({
      key,
      at,
      ...expected,
    });
  }
}

/** How full the caps of sessions are, which nothing but forgetting ever empties. */
export async function expectCaps(world: World, place: string, { takes }: Person): Promise<void> {
  const [partition, key = ''] = place.split('/');
  const [tenant = '', subject] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
  const sessions = ['', 'tab-1', 'tab-2'];
  const asked = sessions.map((session) => ({
    cap: 'first/session',
    session,
    windowMs: null,
    limit: 1,
    at: world.clock.now(),
  }));
  const used = await world.store.capsUsed(Number(partition), tenant, subject, asked);
  const expected = sessions.map((session) => takes.filter((take) => take.session === session).length);
  expect({ place, used }).toEqual({ place, used: expected });
}
