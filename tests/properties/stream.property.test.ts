import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../schemas/index.ts';
import { type LoggedRecord, referenceStream } from '../reference/stream.ts';
import { rulesFor } from './rules.ts';
import { type Happening, inWords, play, setup, story } from './story.ts';
import { expectCaps, expectFeatures, reportsIn, toldOf } from './told.ts';
import { partitions, type Setup } from './world.ts';

/** More by PRESAGE_CASES=20000; a case takes about 35 ms. */
const cases = Number(process.env.PRESAGE_CASES ?? 2_000);

/** A link is forgotten after its `identify`, though what it is left of had a newer event of the engine's own. */
const link: Happening[] = [
  { do: 'event', tenant: 'acme', by: 'a:y', after: 0, at: 0, what: { type: '$exposure' }, session: null },
  { do: 'identify', anonymous: 'y', as: 'ann', after: 0, at: -81, kind: 'identify' },
  { do: 'identify', anonymous: 'x', as: 'bob', after: 224, at: 0, kind: 'alias' },
  {
    do: 'event',
    tenant: 'acme',
    by: 'a:y',
    after: 10,
    at: 0,
    what: { type: 'view', sku: 'a', price: 10 },
    session: null,
  },
];
const setupOfLink: Setup = { batch: 1, cached: 0, page: 1, timers: 1, ttlMs: 300_000 };

describe('the stream, whatever happens', { timeout: 300_000 + cases * 300 }, () => {
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
      { examples: [[link, setupOfLink]], numRuns: cases, reporter: tell },
    );
    // A test that never meets what it is about would be no test.
    for (const [what, times] of Object.entries(seen))
      expect(times, what).toBeGreaterThan(cases < 1_000 ? -1 : cases / 20);
  });
});

const isFull = ({ used, limit }: { used: number; limit: number }): boolean => used >= limit;

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
