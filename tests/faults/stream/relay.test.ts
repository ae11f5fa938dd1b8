import { afterAll, beforeAll, expect, it } from 'vitest';
import { asSubjectId } from '../../../core/index.ts';
import type { StoredEvent } from '../../../schemas/index.ts';
import { redisStreamsLog } from '../../../stream/log/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';
import { redisState } from '../../../stream/state/index.ts';
import { type ChildProgram, childProgram } from '../../support/child.ts';
import { decisionsIn, features, identify, partitions, rig, view } from '../../support/identity.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { isFull } from './compare.ts';
import { clock } from './life.ts';
import { type RelayLife, relayPoints } from './relay-life.ts';
import { report } from './report.ts';

/** Of each point; 4 points. */
const killsEach = isFull ? 15 : 3;
const visitors = 6;
const lives = Array.from({ length: killsEach }, (_, life) =>
  relayPoints.map((point) => ({ point, after: 1 + (life % 2) })),
).flat();

let program: ChildProgram;
let redis: TestRedis;
beforeAll(async () => {
  [program, redis] = await Promise.all([
    childProgram(new URL('./relay.child.fixture.ts', import.meta.url)),
    startTestRedis(),
  ]);
});
afterAll(async () => {
  await program?.remove();
  await redis?.stop();
});

const subjectsOf = (round: number) =>
  Array.from({ length: visitors }, (_, n) => [`visitor-${round}-${n}`, `user-${round}-${n}`] as const);

/** Visitors of a round look around, sign in, and go on: a transfer and two forwarded events each. */
const eventsOf = (round: number): StoredEvent[] =>
  subjectsOf(round).flatMap(([anonymousId, userId], n) => {
    const id = (what: string) => `${what}-${round}-${n}`;
    return [
      view(id('a'), { anonymousId }, 1),
      view(id('u'), { userId }, 2),
      view(id('b'), { anonymousId }, 3),
      identify(id('i'), anonymousId, userId, 4),
      view(id('c'), { anonymousId }, 5),
      view(id('d'), { anonymousId }, 6),
    ];
  });

type Rig = ReturnType<typeof rig>;

/** What a user has in the end, and all that was decided: nothing of it depends on when a move arrived. */
async function outcomeOf({ stateOf, outbox }: Rig) {
  const states: Record<string, unknown> = {};
  for (let round = 0; round <= lives.length; round++)
    for (const [, user] of subjectsOf(round)) {
      const state = await stateOf(asSubjectId(`u:${user}`));
      states[user] = state === null ? null : features.read(state, state.newest);
    }
  const entries = await outbox();
  const batches = entries.flatMap((entry) => (entry.kind === 'batch' ? [entry.batch] : []));
  return {
    states,
    decisions: decisionsIn(entries)
      .map(({ id, subject, startedBy }) => JSON.stringify([id, subject, startedBy]))
      .sort(),
    again: batches.reduce((sum, { redelivered }) => sum + (redelivered?.length ?? 0), 0),
  };
}

it('SIGKILL of a relay between what it reads and what it acknowledges: each move is applied once', async () => {
  const calm = rig();
  for (let round = 0; round <= lives.length; round++) {
    await calm.send(...eventsOf(round));
    await calm.settle();
  }
  const undisturbed = await outcomeOf(calm);
  expect(Object.values(undisturbed.states)).toContainEqual(
    expect.objectContaining({ views: 5, everything: 6, spent: 7.5 }),
  );

  const connector = redisConnector(redis.url);
  const log = await redisStreamsLog({ connector, version: 1, partitions, clock });
  const store = redisState({ connector, version: 1, clock });
  const rough = rig(log, store);
  const relay = (dieAt: RelayLife['dieAt']) =>
    program.start(JSON.stringify({ redis: redis.url, partitions, dieAt } satisfies RelayLife)).ended;
  for (const [round, dieAt] of lives.entries()) {
    await rough.send(...eventsOf(round));
    await rough.settle(false);
    const { how, output } = await relay(dieAt);
    expect(`${dieAt.point}: ${how} ${output}`).toContain('SIGKILL');
    await rough.settle(false);
  }
  await rough.send(...eventsOf(lives.length));
  await rough.settle(false);
  const { how, output } = await relay(null);
  expect(`${how} ${output}`).toContain('exit 0');
  await rough.settle(false);

  const disturbed = await outcomeOf(rough);
  expect(disturbed.again).toBeGreaterThan(0);
  expect(disturbed.states).toEqual(undisturbed.states);
  expect(disturbed.decisions).toEqual(undisturbed.decisions);
  report('relay killed between reading and acknowledging (SIGKILL)', {
    kills: lives.length,
    moves: (lives.length + 1) * visitors * 3,
    'moves brought again': disturbed.again,
  });
  await log.close();
  await store.close();
});
