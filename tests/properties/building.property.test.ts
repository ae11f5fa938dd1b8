import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../schemas/index.ts';
import { sharedKeys } from '../../stream/shared/groups.ts';
import { mergeShared, type Partial } from '../../stream/shared/merge.ts';
import { type LoggedRecord, type Person, referenceStream } from '../reference/stream.ts';
import { after, type BuildPlan, before, buildingWorld, buildPlan } from './building.ts';
import { rulesFor } from './rules.ts';
import { type Happening, inWords, play, setup, story } from './story.ts';
import { expectFeatures, reportsIn, toldOf } from './told.ts';
import { partitions, type Setup, workspace } from './world.ts';

/** More by PRESAGE_CASES=20000; a case takes about 40 ms. */
const cases = Number(process.env.PRESAGE_CASES ?? 250);

/**
 * What the event table does not tell (docs/rebuild.md): who stands beside the subject in what the engine itself writes, and
 * what is refused but moves a subject's clock.
 */
const ordinary = story.map((happenings) =>
  happenings.map((one): Happening => {
    if (one.do === 'event' && one.what.type === '$exposure') return { ...one, beside: undefined };
    return one.do === 'identify' ? { ...one, kind: 'identify' } : one;
  }),
);

/** Nobody is forgotten: stream.property.test.ts looks at that. */
const lasting = setup.map((one) => ({ ...one, ttlMs: workspace.stateTtlMs }));

const oldNames = new Set(before.features.map(({ name }) => name));

describe('a generation that is built while the stream goes on', { timeout: 300_000 + cases * 400 }, () => {
  const seen: Record<string, number> = {};
  const saw = (what: string, times: number): void => {
    seen[what] = (seen[what] ?? 0) + times;
  };

  it('is what the definitions say of the whole log, and nothing is decided twice or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(ordinary, lasting, buildPlan, async (told, setup, plan) => {
        // Nor does the table tell when something was sent again.
        const happenings = plan.from === 'log' ? told : told.filter((one) => one.do !== 'again');
        const building = buildingWorld(setup, plan);
        const { poison, world } = await play(happenings, setup, building.world, (happened) =>
          building.before(happened, happenings.length),
        );
        const log = world.appended.map((record): LoggedRecord => {
          const refused = poison.get(`${record.partition}/${record.position}`) ?? null;
          const event = refused === null ? (JSON.parse(record.value.toString()) as StoredEvent) : null;
          return { ...record, event, poison: refused };
        });
        const expected = referenceStream(log, partitions, rulesFor(setup.ttlMs));
        fc.pre(expected.beyond === null);
        for (const [partition, mine] of expected.partitions.entries()) {
          const entries = await world.outbox(partition);
          const isExact = ({ tenant, subject }: { tenant: string; subject: string }): boolean =>
            !building.approximate.has(`${tenant}:${subject}`);
          const decisions = entries
            .flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []))
            .filter(isExact);
          const wanted = mine.decisions.filter(isExact);
          const isOld = (index: number): boolean => decisions[index]?.workspace === before.hash;
          expect(decisions.map((decision, index) => toldOf(decision, wanted[index]?.features))).toEqual(
            wanted.map((one, index) => (isOld(index) ? { ...one, features: pickOld(one.features) } : one)),
          );
          expect(withRepeats(reportsIn(entries))).toEqual(
            withRepeats({
              ...mine,
              covered: log.filter((record) => record.partition === partition).map(({ position }) => position),
            }),
          );
          saw('decisions before', decisions.filter((_, index) => isOld(index)).length);
          saw('decisions after', decisions.filter((_, index) => !isOld(index)).length);
          saw(
            'decisions of timers after',
            wanted.filter((one, index) => !isOld(index) && one.cause === 'timer').length,
          );
        }
        for (const [place, person] of expected.people) await expectFeatures(world, place, person);
        expect(await sharedOf(building)).toEqual(countedIn([...expected.people]));
        for (const [what, times] of Object.entries(building.counts)) saw(what, times);
        saw('states from the table', building.approximate.size);
        saw('fenced', world.counts.fenced);
      }),
      { numRuns: cases, reporter: tell },
    );
    // A refusal comes in one of a hundred cases, so it can only be asked for where there are many.
    const isSure = (what: string): boolean => cases >= (what === 'refused' ? 5_000 : 250);
    for (const [what, times] of Object.entries(seen))
      expect(times, what).toBeGreaterThan(isSure(what) ? 0 : -1);
  });
});

/**
 * What a relay brings again of events that followed an anonymous id, and that the state had from the table, is known by
 * its event id and not by its place: a repeat all the same.
 */
function withRepeats({
  duplicates,
  redelivered,
  decisions: _,
  ...others
}: Omit<ReturnType<typeof reportsIn>, 'decisions'> & { readonly decisions: unknown }) {
  return { ...others, repeats: [...duplicates, ...redelivered].sort((a, b) => a - b) };
}

const pickOld = (features: object): object =>
  Object.fromEntries(Object.entries(features).filter(([name]) => oldNames.has(name)));

/** What all partitions share, in force, merged. */
async function sharedOf({ world, groups }: ReturnType<typeof buildingWorld>) {
  const partials = await Promise.all(
    Array.from({ length: partitions }, async (_, partition): Promise<Partial> => {
      const partial = new Map<string, Uint8Array>();
      for (const group of groups)
        for (const tenant of ['acme', 'bolt']) {
          const keys = sharedKeys(tenant, group);
          for (const [index, blob] of (await world.store.load(partition, keys)).entries())
            if (blob !== null) partial.set(keys[index] ?? '', blob);
        }
      return partial;
    }),
  );
  return Object.fromEntries(
    ['acme', 'bolt'].map((tenant) => {
      const { features } = mergeShared(tenant, groups, after.shared, partials);
      return [tenant, { views: features.views_of_all ?? {}, carts: features.carts_of_all ?? 0 }];
    }),
  );
}

/** Each event counts once, whoever has it in the end. */
function countedIn(people: readonly [string, Person][]) {
  const counted = (tenant: string, type: string) =>
    people
      .filter(([place]) => place.includes(`/${tenant}:`))
      .flatMap(([, { events }]) => events.filter((event) => event.type === type));
  return Object.fromEntries(
    ['acme', 'bolt'].map((tenant) => {
      const views: Record<string, number> = {};
      for (const { properties } of counted(tenant, 'view'))
        views[String(properties.sku)] = (views[String(properties.sku)] ?? 0) + 1;
      return [tenant, { views, carts: counted(tenant, 'cart').length }];
    }),
  );
}

function tell(details: fc.RunDetails<[Happening[], Setup, BuildPlan]>): void {
  if (!details.failed) return;
  const { counterexample, errorInstance, seed, counterexamplePath, numShrinks } = details;
  if (counterexample === null) throw new Error(fc.defaultReportMessage(details));
  const [happenings, setup, plan] = counterexample;
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  throw new Error(
    `${why}\n\nThe story (shrunk ${numShrinks} times; { seed: ${seed}, path: '${counterexamplePath}' }):\n${inWords(happenings, setup)}\nThe build (places as 60ths of the story): ${JSON.stringify(plan)}`,
    { cause: errorInstance },
  );
}
