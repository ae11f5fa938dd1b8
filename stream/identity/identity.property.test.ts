import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSubjectId, partitionOf, rawIdOf } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import { referenceValue } from '../../tests/reference/features.ts';
import { assign, featureEventOf } from '../../tests/reference/identity.ts';
import { decisionsIn, features, partitions, start, workspace } from '../../tests/support/identity.ts';
import { happening, play } from '../../tests/support/identity-stories.ts';
import type { FeatureEvent } from '../features/index.ts';

/** More by PRESAGE_PROPERTY_RUNS=20000. Few: tests/properties tells longer stories, against another reference. */
const runs = Number(process.env.PRESAGE_PROPERTY_RUNS ?? 150);
const rules = { sessionGapMs: workspace.sessionGapMs, deduplicationMs: workspace.deduplicationMs };

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

describe('identity, whatever happens', { timeout: 300_000 + runs * 100 }, () => {
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
