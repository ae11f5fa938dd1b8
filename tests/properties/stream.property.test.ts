import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSubjectId, partitionOf, rawIdOf } from '../../core/index.ts';
import type { DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import { type LoggedRecord, type Person, referenceStream } from '../reference/stream.ts';
import { rulesFor, valuesOf } from './rules.ts';
import { type Happening, inWords, play, setup, story } from './story.ts';
import { features, partitions, type Setup, type World } from './world.ts';

/** More by PRESAGE_CASES=20000; a case takes about 35 ms. */
const cases = Number(process.env.PRESAGE_CASES ?? 2_000);

describe('the stream, whatever happens', { timeout: 60_000 + cases * 300 }, () => {
  /** How often what must be covered has been. */
  const seen: Record<string, number> = {};
  const saw = (what: string, times: number): void => {
    seen[what] = (seen[what] ?? 0) + times;
  };

  it('makes of each log what its definitions say, once', async () => {
    await fc.assert(
      fc.asyncProperty(story, setup, async (happenings, setup) => {
        const { world, poison } = await play(happenings, setup);
        const log = world.appended.map((record): LoggedRecord => {
          const refused = poison.get(`${record.partition}/${record.position}`) ?? null;
          const event = refused === null ? (JSON.parse(record.value.toString()) as StoredEvent) : null;
          return { ...record, event, poison: refused };
        });
        const expected = referenceStream(log, partitions, rulesFor(setup.ttlMs));
        fc.pre(expected.beyond === null);
        for (const [partition, mine] of expected.partitions.entries()) {
          const entries = await world.outbox(partition);
          const decisions = entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
          expect(
            decisions.map((decision, index) => toldOf(decision, mine.decisions[index]?.features)),
          ).toEqual(mine.decisions);
          expect(reportsIn(entries)).toEqual({
            ...mine,
            decisions: undefined,
            covered: log.filter((record) => record.partition === partition).map(({ position }) => position),
          });
          saw('decisions', decisions.length);
          saw('decisions of timers', mine.decisions.filter(({ cause }) => cause === 'timer').length);
          saw('full caps', mine.decisions.filter(({ capsSeen }) => capsSeen.some(isFull)).length);
          saw('stopped decisions', mine.decisions.filter(({ mode }) => mode === 'stopped').length);
          saw('decisions that wait', mine.decisions.filter((one) => one.pendingTransfers.length > 0).length);
          for (const what of ['duplicates', 'late', 'clamped', 'dead', 'forwarded', 'redelivered'] as const)
            saw(what, mine[what].length);
        }
        for (const [place, { to, hasArrived }] of expected.moves)
          expect({ place, to, hasArrived }).toEqual({ place, to, hasArrived: true });
        for (const [place, person] of expected.people) {
          await expectFeatures(world, place, person);
          await expectCaps(world, place, person);
        }
        saw('forgotten', expected.forgettings);
        saw('fenced', world.counts.fenced);
        saw('ticks', log.filter(({ event }) => event?.type === '$tick').length);
      }),
      { numRuns: cases, reporter: tell },
    );
    // A test that never meets what it is about would be no test.
    for (const [what, times] of Object.entries(seen))
      expect(times, what).toBeGreaterThan(cases < 1_000 ? -1 : cases / 20);
  });
});

const isFull = ({ used, limit }: { used: number; limit: number }): boolean => used >= limit;

/** What a decision says, but for decays, which are right within a bound: where they are, they count as equal. */
function toldOf(decision: DecisionRecord, expected: object = {}) {
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

function settleDecay(actual: object, expected: object) {
  const [mine, theirs] = [actual as { interest: number }, expected as { interest: number }];
  return Math.abs(mine.interest - theirs.interest) < 1e-4
    ? { ...mine, interest: theirs.interest }
    : { ...mine };
}

/** All that the batches of a partition report. What is late or clamped is told of new events only. */
function reportsIn(entries: Awaited<ReturnType<World['outbox']>>) {
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

async function expectFeatures(world: World, place: string, person: Person): Promise<void> {
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
async function expectCaps(world: World, place: string, { takes }: Person): Promise<void> {
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

function tell(details: fc.RunDetails<[Happening[], Setup]>): void {
  if (!details.failed) return;
  const { counterexample, errorInstance, seed, counterexamplePath, numShrinks } = details;
  if (counterexample === null) throw new Error(fc.defaultReportMessage(details));
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  throw new Error(
    `${why}\n\nThe story (shrunk ${numShrinks} times; { seed: ${seed}, path: '${counterexamplePath}' }):\n${inWords(...counterexample)}`,
    { cause: errorInstance },
  );
}
