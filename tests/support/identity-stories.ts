import fc from 'fast-check';
import type { StoredEvent } from '../../schemas/index.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { memoryLog } from '../../stream/log/index.ts';
import { memoryState } from '../../stream/state/index.ts';
import type { Sent } from '../reference/identity.ts';
import { manualClock } from './clock.ts';
import { partitions, recordOf, start, workspace } from './identity.ts';
import { stepper } from './stepper.ts';

const anonymousId = fc.constantFrom('x', 'y', 'z');
const userId = fc.constantFrom('ann', 'bob', 'eve');
const seconds = fc.integer({ min: 0, max: 2_900 });
const small = fc.integer({ min: 1, max: 4 });
const partition = fc.integer({ min: 0, max: partitions - 1 });

/** What happens in a story, in words. An event's id is made of what it says, so that saying it again is a repeat. */
export type Happening =
  | { do: 'view'; by: string; beside?: string; at: number; price: number; session: string | null }
  | { do: 'identify'; anon: string; as: string; at: number }
  | { do: 'shown'; to: string; at: number }
  | { do: 'work'; partition: number; records: number; dies?: 'before' | 'after' }
  | { do: 'relay'; partition: number; entries: number; dies: boolean }
  | { do: 'relay goes back'; partition: number; entries: number }
  | { do: 'all workers die' };

export const happening: fc.Arbitrary<Happening> = fc.oneof(
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

/** Lives through a story, then lets worker and relay finish. */
export async function play(story: readonly Happening[]) {
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
  return { steps, store, log, clock, sent };
}
