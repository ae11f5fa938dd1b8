import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisStreamsLog } from '../../stream/log/index.ts';
import { redisConnector } from '../../stream/redis/index.ts';
import { redisState } from '../../stream/state/index.ts';
import { type ChildProgram, childProgram } from '../../tests/support/child.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { type CommitSpec, contents, fold, nothing, play, type RecordSpec } from './history.fixture.ts';
import { openEmbeddedWarehouse } from './index.ts';

const clock = { now: Date.now, monotonic: () => performance.now() };
const events = (count: number): RecordSpec[] => Array.from({ length: count }, () => ({ kind: 'event' }));

/** Every kind of row, in four blocks of a partition. */
const history = (name: string): CommitSpec[] =>
  Array.from({ length: 4 }, (_, i) => ({
    records: [
      ...events(20),
      { kind: 'duplicate' },
      { kind: 'dead' },
      { kind: 'control' },
      { kind: 'exposure', decision: `${name}-${i}` },
      { kind: 'outcome', decision: `${name}-${i}` },
    ],
    decisions: [`${name}-${i}`],
  }));

let redis: TestRedis;
let child: ChildProgram;
let folder: string;

beforeAll(async () => {
  redis = await startTestRedis();
  child = await childProgram(new URL('./crash.child.fixture.ts', import.meta.url));
  folder = await mkdtemp(join(tmpdir(), 'presage-crash-'));
});
afterAll(async () => {
  await child?.remove();
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('kill -9 of the process that holds sink and ClickHouse, on a real Redis', () => {
  it('leaves every row there once, whichever step it hits', async () => {
    const connector = redisConnector(redis.url);
    const log = await redisStreamsLog({ connector, version: 1, partitions: 2, clock });
    const store = redisState({ connector, version: 1, clock });
    await play(log, store, 0, history('a'));
    await play(log, store, 1, history('b'));
    const ends = [(await store.head(0)).position, (await store.head(1)).position].join(',');

    // A block has nine steps here: in flight, seven tables, position. Each life begins with what the last one left.
    let kills = 0;
    for (const step of [1, 2, 5, 8, 9, 10]) {
      for (const when of ['before', 'after']) {
        const { ended } = child.start(redis.url, folder, ends, String(step), when);
        const { how, output } = await ended;
        if (how === 'SIGKILL') kills++;
        else expect(output).toBe('drained\n');
      }
    }
    expect(kills).toBeGreaterThanOrEqual(10);
    expect((await child.start(redis.url, folder, ends, '0', 'never').ended).output).toBe('drained\n');
    await log.close();
    await store.close();

    const warehouse = await openEmbeddedWarehouse({ folder });
    const found = await contents(warehouse);
    await warehouse.close();
    expect(found).toEqual(fold(1, history('b'), fold(0, history('a'), nothing())));
  });
});
