import fc from 'fast-check';
import { asSubjectId, partitionOf, rawIdOf, subjectOfEvent } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import { type Fate, makeWorld, partitions, type Setup, type World, workspace } from './world.ts';

/** What happens in a story. Times are in seconds. */
export type Happening =
  | {
      do: 'event';
      tenant: 'acme' | 'bolt';
      by: string;
      beside?: string | undefined;
      /** Seconds that pass before it. */
      after: number;
      /** Event time, from the clock's. */
      at: number;
      what: What;
      session: string | null;
    }
  | { do: 'identify'; anonymous: string; as: string; after: number; at: number; kind: 'identify' | 'alias' }
  | { do: 'again'; back: number }
  | { do: 'poison'; code: keyof typeof poisons; partition: number }
  | { do: 'switch'; to: 'stop' | 'resume' }
  | { do: 'work'; partition: number; records: number; fate: Fate; isOld: boolean }
  | { do: 'deliver' | 'take over' | 'die'; partition: number }
  | { do: 'relay'; partition: number; entries: number; dies: boolean }
  | { do: 'relay goes back'; partition: number; entries: number }
  | { do: 'wait'; seconds: number };

type What =
  | { type: 'view'; sku: string; price: number }
  | { type: 'cart' | 'order'; id: string; value: number }
  | { type: '$exposure' };

/** Records that no producer of ours writes, and why they are refused. */
const poisons = {
  not_json: () => 'half a rec',
  not_an_event: () => '{"v":1,"id":"bad"}',
  unknown_tenant: (base: StoredEvent) => JSON.stringify({ ...base, tenant: 'nobody' }),
  wrong_type: (base: StoredEvent) => JSON.stringify({ ...base, properties: { price: 'dear' } }),
  not_a_move: (base: StoredEvent) => JSON.stringify({ ...base, type: '$transfer' }),
  wrong_partition: (base: StoredEvent, partition: number) =>
    JSON.stringify({
      ...base,
      userId: [...'abcdef'].find((id) => partitionOf(id, partitions) !== partition),
    }),
} as const;

const partition = fc.integer({ min: 0, max: partitions - 1 });
const anonymous = fc.constantFrom('x', 'y', 'z');
const user = fc.constantFrom('ann', 'bob', 'eve');
const after = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 10 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 90 }) },
);
const at = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: -30, max: 0 }) },
  { weight: 1, arbitrary: fc.integer({ min: -400, max: -30 }) },
  // A clock that is ahead.
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_600 }) },
);
const cart = { id: fc.constantFrom('one', 'two'), value: fc.constantFrom(5, 50) };
const what: fc.Arbitrary<What> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('view' as const),
      sku: fc.constantFrom('a', 'b', 'ü'),
      price: fc.constantFrom(10, 60.25, 80),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('cart' as const), ...cart }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('order' as const), ...cart }) },
  { weight: 1, arbitrary: fc.constant({ type: '$exposure' as const }) },
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      tenant: fc.constantFrom('acme' as const, 'acme' as const, 'acme' as const, 'bolt' as const),
      by: fc.oneof(
        anonymous.map((id) => `a:${id}`),
        user.map((id) => `u:${id}`),
      ),
      beside: fc.option(anonymous, { nil: undefined, freq: 4 }),
      after,
      at,
      what,
      session: fc.constantFrom(null, null, null, 'tab-1', 'tab-2'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('identify' as const),
      anonymous,
      as: user,
      after,
      at,
      kind: fc.constantFrom('identify' as const, 'identify' as const, 'identify' as const, 'alias' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('again' as const), back: fc.nat(8) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('poison' as const),
      code: fc.constantFrom(...(Object.keys(poisons) as (keyof typeof poisons)[])),
      partition,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('switch' as const),
      to: fc.constantFrom('stop' as const, 'resume' as const),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('work' as const),
      partition,
      records: fc.integer({ min: 0, max: 8 }),
      fate: fc.oneof(
        { weight: 5, arbitrary: fc.constant('arrives' as const) },
        {
          weight: 4,
          arbitrary: fc.constantFrom<Fate[]>(
            'dies before',
            'dies after',
            'is lost',
            'reply is lost',
            'is slow',
          ),
        },
      ),
      isOld: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('deliver' as const, 'take over' as const, 'die' as const),
      partition,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('relay' as const),
      partition,
      entries: fc.integer({ min: 1, max: 6 }),
      dies: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('relay goes back' as const),
      partition,
      entries: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 120 }) }),
  },
);

export const story = fc.array(happening, { maxLength: 60, size: 'max' });
export const setup: fc.Arbitrary<Setup> = fc.record({
  batch: fc.integer({ min: 1, max: 8 }),
  cached: fc.integer({ min: 0, max: 4 }),
  page: fc.integer({ min: 1, max: 6 }),
  timers: fc.integer({ min: 1, max: 4 }),
  ttlMs: fc.constantFrom(workspace.stateTtlMs, workspace.stateTtlMs, 300_000),
});

/**
 * Lives through a story, then lets everybody finish. Refusals that decoding owes, by `<partition>/<position>`. `before`
 * is called before each happening, and before the end, with how many there have been.
 */
export async function play(
  happenings: readonly Happening[],
  setup: Setup,
  world: World = makeWorld(setup),
  before: (happened: number) => Promise<void> = async () => {},
): Promise<{ world: World; poison: ReadonlyMap<string, string> }> {
  const poison = new Map<string, string>();
  const sent: StoredEvent[] = [];
  const send = async (event: StoredEvent): Promise<void> => {
    sent.push(event);
    const key = rawIdOf(subjectOfEvent(event) ?? asSubjectId('a:'));
    await world.send([
      { partition: partitionOf(key, partitions), key, value: Buffer.from(JSON.stringify(event)) },
    ]);
  };
  for (const [index, happened] of happenings.entries()) {
    await before(index);
    switch (happened.do) {
      case 'event':
      case 'identify':
        world.clock.set(world.clock.now() + happened.after * 1_000);
        await send(eventOf(happened, world.clock.now(), `e${sent.length}`));
        break;
      case 'again': {
        const event = sent.at(-1 - happened.back);
        if (event !== undefined) await send(event);
        break;
      }
      case 'poison': {
        const userId = [...'abcdef'].find((id) => partitionOf(id, partitions) === happened.partition) ?? '';
        const base = eventOf(
          { do: 'event', tenant: 'acme', by: `u:${userId}`, after: 0, at: 0, what: bad, session: null },
          world.clock.now(),
          `bad${sent.length}`,
        );
        const value = Buffer.from(poisons[happened.code](base, happened.partition));
        const [position] = await world.send([{ partition: happened.partition, key: userId, value }]);
        poison.set(`${happened.partition}/${position}`, happened.code);
        break;
      }
      case 'switch': {
        const properties = { control: happened.to, by: 'someone' };
        for (let partition = 0; partition < partitions; partition++) {
          const event = eventOf(
            { do: 'event', tenant: 'acme', by: 'a:engine', after: 0, at: 0, what: bad, session: null },
            world.clock.now(),
            `switch-${partition}`,
          );
          const value = Buffer.from(
            JSON.stringify({ ...event, type: '$control', properties, source: 'engine' }),
          );
          await world.send([{ partition, key: 'engine', value }]);
        }
        break;
      }
      case 'work':
        await world.work(happened.partition, happened.records, happened.fate, happened.isOld);
        break;
      case 'deliver':
        await world.deliver(happened.partition);
        break;
      case 'take over':
        await world.takeOver(happened.partition);
        break;
      case 'die':
        world.die(happened.partition);
        break;
      case 'relay':
        await world.relay(happened.partition, happened.entries, happened.dies);
        break;
      case 'relay goes back':
        world.rewindRelay(happened.partition, happened.entries);
        break;
      case 'wait':
        world.clock.set(world.clock.now() + happened.seconds * 1_000);
        break;
    }
  }
  await before(happenings.length);
  await world.finish();
  return { world, poison };
}

const bad: What = { type: 'view', sku: 'a', price: 1 };

function eventOf(
  happened: Extract<Happening, { do: 'event' | 'identify' }>,
  now: number,
  id: string,
): StoredEvent {
  const common = { v: 1 as const, id, time: now + happened.at * 1_000 };
  if (happened.do === 'identify')
    return {
      ...common,
      tenant: 'acme',
      type: happened.kind,
      anonymousId: happened.anonymous,
      userId: happened.as,
      properties: {},
      source: 'http',
    };
  const { tenant, by, beside, what, session } = happened;
  const { type, ...properties } = what;
  const raw = by.slice(2);
  const who = by.startsWith('a:')
    ? { anonymousId: raw }
    : { userId: raw, ...(beside === undefined ? {} : { anonymousId: beside }) };
  return {
    ...common,
    tenant,
    type,
    ...who,
    ...(session === null ? {} : { session }),
    properties:
      type === '$exposure' ? { decision: id, action: 'first', placement: 'banner' } : { ...properties },
    source: type === '$exposure' ? 'engine' : 'http',
  };
}

/** A story as a person would tell it, one line for each step. */
export function inWords(happenings: readonly Happening[], setup: Setup): string {
  const head = `Batches of at most ${setup.batch} records, ${setup.cached} states in memory, pages of ${setup.page} timers, ${setup.timers} timers looked at in a batch, forgotten after ${setup.ttlMs / 1_000} s.`;
  return [head, ...happenings.map((happened, index) => `${index + 1}. ${line(happened)}`)].join('\n');
}

function line(happened: Happening): string {
  switch (happened.do) {
    case 'event': {
      const { tenant, by, beside, after, at, what, session } = happened;
      const { type, ...said } = what;
      const details = Object.entries(said).map(([name, value]) => ` ${name} ${value}`);
      return `${later(after)}${tenant}'s ${by}${beside && by.startsWith('u:') ? ` (beside a:${beside})` : ''}: ${type}${details.join(',')}${session === null ? '' : ` in ${session}`}${clock(at)}.`;
    }
    case 'identify':
      return `${later(happened.after)}${happened.kind} of a:${happened.anonymous} as u:${happened.as}${clock(happened.at)}.`;
    case 'again':
      return `The last event${happened.back === 0 ? '' : ` but ${happened.back}`} is sent again.`;
    case 'poison':
      return `A record that is refused as ${happened.code} is appended to partition ${happened.partition}.`;
    case 'switch':
      return `The switch says ${happened.to}.`;
    case 'work':
      return `${happened.isOld ? 'The older worker' : 'The worker'} of partition ${happened.partition} ${happened.records === 0 ? 'looks whether time has come' : `takes ${happened.records} records`}; ${fates[happened.fate]}.`;
    case 'deliver':
      return `Slow commits of partition ${happened.partition} arrive.`;
    case 'take over':
      return `Another worker takes partition ${happened.partition} over, without the one before knowing.`;
    case 'die':
      return `All workers of partition ${happened.partition} die.`;
    case 'relay':
      return `The relay of partition ${happened.partition} moves ${happened.entries} entries${happened.dies ? ', and dies before it saves its position' : ''}.`;
    case 'relay goes back':
      return `The relay of partition ${happened.partition} goes back ${happened.entries} entries.`;
    case 'wait':
      return `${happened.seconds} s pass.`;
  }
}

const fates: Record<Fate, string> = {
  arrives: 'its commit arrives',
  'dies before': 'it dies before its commit',
  'dies after': 'it dies after its commit',
  'is lost': 'its commit never arrives, and it does not know',
  'reply is lost': 'its commit arrives, and it does not know',
  'is slow': 'its commit is on its way for long',
};

const later = (seconds: number): string => (seconds === 0 ? '' : `${seconds} s later, `);
const clock = (seconds: number): string =>
  seconds === 0 ? '' : `, ${seconds < 0 ? `${-seconds} s old` : `${seconds} s in the future`}`;
