import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSubjectId, partitionOf, rawIdOf } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import { referenceValue } from '../../tests/reference/features.ts';
import { assign, featureEventOf, type Sent } from '../../tests/reference/identity.ts';
import { manualClock } from '../../tests/support/clock.ts';
import {
  decisionsIn,
  features,
  partitions,
  recordOf,
  start,
  workspace,
} from '../../tests/support/identity.ts';
import { stepper } from '../../tests/support/stepper.ts';
import { type FeatureEvent, makeFeatureSet } from '../features/index.ts';
import { memoryLog } from '../log/index.ts';
import { memoryState } from '../state/index.ts';

/** More by PRESAGE_PROPERTY_RUNS=20000. */
const runs = Number(process.env.PRESAGE_PROPERTY_RUNS ?? 500);
const rules = { sessionGapMs: workspace.sessionGapMs, deduplicationMs: workspace.deduplicationMs };

const anonymousId = fc.constantFrom('x', 'y', 'z');
const userId = fc.constantFrom('ann', 'bob', 'eve');
const seconds = fc.integer({ min: 0, max: 2_900 });
const small = fc.integer({ min: 1, max: 4 });
const partition = fc.integer({ min: 0, max: partitions - 1 });

/** What happens in a story, in words. An event's id is made of what it says, so that saying it again is a repeat. */
type Happening =
  | { do: 'view'; by: string; beside?: string; at: number; price: number; session: string | null }
  | { do: 'identify'; anon: string; as: string; at: number }
  | { do: 'shown'; to: string; at: number }
  | { do: 'work'; partition: number; records: number; dies?: 'before' | 'after' }
  | { do: 'relay'; partition: number; entries: number; dies: boolean }
  | { do: 'relay goes back'; partition: number; entries: number }
  | { do: 'all workers die' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        do: fc.constant('view' as const),
        by: fc.oneof(
          anonymousId.map((id) => `a:${id}`),
          userId.map((id) => `u:${id}`),
        ),
        beside: anonymousId,
        at: seconds,
        price: fc.integer({ min: 0, max: 8 }).map((quarters) => quarters / 4),
        session: fc.constantFrom(null, null, 'tab'),
      },
      { requiredKeys: ['do', 'by', 'at', 'price', 'session'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('identify' as const),
      anon: anonymousId,
      as: userId,
      at: seconds,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('shown' as const),
      to: anonymousId.map((id) => `a:${id}`),
      at: seconds,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        do: fc.constant('work' as const),
        partition,
        records: small,
        dies: fc.constantFrom('before' as const, 'after' as const),
      },
      { requiredKeys: ['do', 'partition', 'records'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('relay' as const),
      partition,
      entries: small,
      dies: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('relay goes back' as const), partition, entries: small }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('all workers die' as const) }) },
);

function eventOf(happened: Happening): StoredEvent | null {
  const common = { v: 1 as const, tenant: 'acme', source: 'http' };
  switch (happened.do) {
    case 'view': {
      const { by, beside, at, price, session } = happened;
      const raw = by.slice(2);
      const who = by.startsWith('u:')
        ? { userId: raw, ...(beside === undefined ? {} : { anonymousId: beside }) }
        : { anonymousId: raw };
      return {
        ...common,
        ...who,
        id: `view-${by}-${beside}-${at}-${price}-${session}`,
        type: 'view',
        time: start - 3_000_000 + at * 1_000,
        properties: { sku: `sku-${at % 5}`, price },
        ...(session === null ? {} : { session }),
      };
    }
    case 'identify':
      return {
        ...common,
        id: `identify-${happened.anon}-${happened.as}-${happened.at}`,
        type: 'identify',
        anonymousId: happened.anon,
        userId: happened.as,
        time: start - 3_000_000 + happened.at * 1_000,
        properties: {},
      };
    case 'shown':
      return {
        ...common,
        id: `shown-${happened.to}-${happened.at}`,
        type: '$exposure',
        anonymousId: happened.to.slice(2),
        time: start - 3_000_000 + happened.at * 1_000,
        properties: { decision: 'd', action: 'first', placement: 'banner' },
        source: 'engine',
      };
    default:
      return null;
  }
}

async function play(story: readonly Happening[]) {
  const clock = manualClock(start);
  const log = memoryLog({ partitions, clock });
  const store = memoryState({ clock });
  const scorers = { get: () => undefined, close: async () => {} };
  const steps = stepper({
    workspace,
    features: makeFeatureSet(workspace),
    scorers,
    clock,
    partitions,
    log,
    store,
  });
  const sent: Sent[] = [];
  for (const happened of story) {
    const event = eventOf(happened);
    if (event !== null) {
      const record = recordOf(event);
      const [position = -1] = await log.append([record]);
      sent.push({ event, partition: record.partition, position, appendedAt: start });
    } else if (happened.do === 'work') await steps.work(happened.partition, happened.records, happened.dies);
    else if (happened.do === 'relay') await steps.relay(happened.partition, happened.entries, happened.dies);
    else if (happened.do === 'relay goes back') steps.rewind(happened.partition, happened.entries);
    else steps.crash();
  }
  await steps.finish();
  return { steps, store, sent };
}

/** Values of all features from the definition. */
const expected = (events: readonly FeatureEvent[], at: number) =>
  Object.fromEntries(workspace.features.map((each) => [each.name, referenceValue(each, events, at, rules)]));

/** What was known of each subject at each place of the log, and how often `first` had been taken, by the log alone. */
async function walk({ steps, sent }: Awaited<ReturnType<typeof play>>) {
  const { moved, gone } = assign(sent);
  const decisions = decisionsIn(await steps.outbox());
  const takenBy = (subject: string) =>
    decisions.filter((decision) => decision.subject === subject && decision.action === 'first').length;
  const takenAt = new Map(
    decisions.map(({ log, action }) => [`${log.partition}/${log.position}`, action === 'first']),
  );
  const known = new Map<string, { events: readonly FeatureEvent[]; taken: number }>();
  // Caps go with the first: from then on nobody decides for the anonymous id.
  const firstMoves = new Map<string, string>();
  for (const { event, partition: p, position } of sent) {
    const [id = '', place] = [event.anonymousId, `${p}/${position}`];
    if (moved.has(place) && !firstMoves.has(id)) firstMoves.set(id, place);
  }
  for (let p = 0; p < partitions; p++) {
    const subjects = new Map<string, { events: FeatureEvent[]; taken: number }>();
    const arrived = new Set<string>();
    for (const record of await steps.records(p)) {
      const place = `${p}/${record.offset}`;
      const event = JSON.parse(record.value.toString()) as StoredEvent;
      const subject = event.userId === undefined ? `a:${event.anonymousId}` : `u:${event.userId}`;
      const of = subjects.get(subject) ?? { events: [], taken: 0 };
      subjects.set(subject, of);
      if (event.type === '$transfer' || event.type === '$forward') {
        const { from, event: inner } = event.properties as {
          from: Record<'partition' | 'position', number> & { anonymousId: string; time: number };
          event: StoredEvent;
        };
        const source = `${from.partition}/${from.position}`;
        if (arrived.has(source)) continue;
        arrived.add(source);
        of.events.push(...(moved.get(source) ?? []), featureEventOf(inner, from.time));
        if (firstMoves.get(from.anonymousId) === source) of.taken += takenBy(`a:${from.anonymousId}`);
      } else if (gone.has(place)) continue;
      else of.events.push(featureEventOf(event, record.appendedAt));
      known.set(place, { events: [...of.events], taken: of.taken });
      if (takenAt.get(place)) of.taken += 1;
    }
  }
  return { known, decisions };
}

describe('identity, whatever happens', { timeout: 30_000 + runs * 100 }, () => {
  const story = fc.array(happening, { maxLength: 45, size: 'max' });

  it('gives each subject the features of all events that are its by the rules, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happened) => {
        const { store, sent } = await play(happened);
        const { events } = assign(sent);
        const subjects = [
          ...['x', 'y', 'z'].map((id) => `a:${id}`),
          ...['ann', 'bob', 'eve'].map((id) => `u:${id}`),
        ];
        for (const subject of subjects) {
          const at = partitionOf(rawIdOf(asSubjectId(subject)), partitions);
          const [blob] = await store.load(at, [`acme:${subject}`]);
          const state = blob ? features.decode(blob) : features.empty();
          const mine = events.get(`acme:${subject}`) ?? [];
          for (const time of [start - 3_000_000, start - 1_500_000, start])
            expect({ subject, ...features.read(state, time) }).toEqual({ subject, ...expected(mine, time) });
        }
      }),
      { numRuns: runs },
    );
  });

  it('decides once for each event, with what had arrived by then, and gives no more room in caps', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happened) => {
        const played = await play(happened);
        const { known, decisions } = await walk(played);
        const seen = new Set<string>();
        for (const decision of decisions) {
          const event = decision.startedBy.kind === 'trigger' ? decision.startedBy.event : '';
          expect(seen).not.toContain(`${decision.subject} ${event}`);
          seen.add(`${decision.subject} ${event}`);
          const { events, taken } = known.get(`${decision.log.partition}/${decision.log.position}`) ?? {
            events: [],
            taken: -1,
          };
          expect(decision.features).toEqual(expected(events, decision.time));
          expect(decision.capsSeen.find(({ action }) => action === 'first')?.used).toBe(taken);
        }
        const { events } = assign(played.sent);
        expect(
          new Set(decisions.map(({ startedBy }) => (startedBy.kind === 'trigger' ? startedBy.event : ''))),
        ).toEqual(
          new Set(
            [...events.values()]
              .flat()
              .filter(({ type }) => type !== '$exposure')
              .map(({ id }) => id),
          ),
        );
      }),
      { numRuns: runs },
    );
  });
});
