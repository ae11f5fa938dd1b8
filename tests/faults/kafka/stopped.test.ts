import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { partitionOf } from '../../../core/index.ts';
import type { StoredEvent } from '../../../schemas/index.ts';
import { makeFeatureSet } from '../../../stream/features/index.ts';
import { type EventLog, kafkaLog } from '../../../stream/log/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';
import { redisState, type StateStore } from '../../../stream/state/index.ts';
import { loadWorkspace } from '../../../workspace/index.ts';
import { type ChildProgram, childProgram } from '../../support/child.ts';
import { describeWithKafka, startTestKafka, type TestKafka } from '../../support/kafka.ts';
import { root, waitFor } from '../../support/program.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { silentLogger } from '../../support/silence.ts';
import { report } from '../stream/report.ts';
import type { WorkerLife } from './worker.child.fixture.ts';

const isFull = process.env.PRESAGE_FULL === '1';
const rounds = isFull ? 20 : 3;
const partitions = 4;
const users = Array.from({ length: 40 }, (_, i) => `u${i}`);
const clock = { now: Date.now, monotonic: () => performance.now() };
const folder = join(root, 'tests', 'workspaces', 'small');

describeWithKafka('a worker that is stopped (SIGSTOP) past its session and goes on', () => {
  let broker: TestKafka;
  let redis: TestRedis;
  let program: ChildProgram;
  let scratch: string;
  let log: EventLog;
  let store: StateStore;
  beforeAll(async () => {
    [broker, redis, program, scratch] = await Promise.all([
      startTestKafka(),
      startTestRedis(),
      childProgram(new URL('./worker.child.fixture.ts', import.meta.url)),
      mkdtemp(join(tmpdir(), 'presage-stopped-')),
    ]);
    log = await kafkaLog({
      connection: { brokers: [broker.address] },
      version: 1,
      partitions,
      clock,
      logger: silentLogger(),
    });
    store = redisState({ connector: redisConnector(redis.url), version: 1, clock });
  });
  afterAll(async () => {
    await log?.close();
    await store?.close();
    await program?.remove();
    await redis?.stop();
    await broker?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  it(`is fenced and writes nothing stale, ${rounds} times${isFull ? ' [full form]' : ''}`, async () => {
    const journal = join(scratch, 'journal');
    const start = (name: string) => {
      const life: WorkerLife = {
        name,
        redis: redis.url,
        broker: broker.address,
        partitions,
        workspace: folder,
        sessionMs: 1_500,
        journal,
      };
      return program.start(JSON.stringify(life));
    };
    const workers = [start('one'), start('two')] as const;
    for (const worker of workers) await worker.says('started');

    const begun = Date.now();
    const sent = new Map<string, number>();
    let isFeeding = true;
    const feeding = (async () => {
      for (let n = 0; isFeeding; n++) {
        const records = users.map((userId) => {
          const event: StoredEvent = {
            v: 1,
            id: `${userId}-${n}`,
            tenant: 'acme',
            type: 'view',
            userId,
            time: begun - 1_000,
            properties: { sku: 'x', price: 0.25 },
            source: 'http',
          };
          return {
            partition: partitionOf(userId, partitions),
            key: userId,
            value: Buffer.from(JSON.stringify(event)),
          };
        });
        await log.append(records);
        for (const userId of users) sent.set(userId, n + 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const lines = async (): Promise<string[]> => (await readFile(journal, 'utf8')).trim().split('\n');
    const fences = async (): Promise<number> =>
      (await lines()).filter((line) => line.includes('fenced')).length;
    const positions = () =>
      Promise.all(Array.from({ length: partitions }, async (_, p) => (await store.head(p)).position));
    /** Every partition moves beyond where it is now. */
    const allMove = async (): Promise<void> => {
      const before = await positions();
      await waitFor('all partitions to move', async () =>
        (await positions()).every((position, p) => position > before[p]!),
      );
    };

    for (let round = 0; round < rounds; round++) {
      await allMove();
      const stopped = workers[round % 2]!.process;
      const before = await fences();
      stopped.kill('SIGSTOP');
      // The other one has them all.
      await allMove();
      await allMove();
      stopped.kill('SIGCONT');
      await waitFor('the fence', async () => (await fences()) > before);
    }
    isFeeding = false;
    await feeding;
    await waitFor('everything to be processed', async () => {
      const done = await positions();
      const ends = await Promise.all(done.map((_, p) => log.range(p)));
      return ends.every(({ end }, p) => done[p] === end);
    });
    for (const { process: worker } of workers) worker.kill('SIGTERM');
    await Promise.all(workers.map(({ ended }) => ended));

    report('worker stopped past its session and resumed (SIGSTOP)', {
      rounds,
      'fenced commits': await fences(),
    });
    // No position of a partition was committed twice: none was made behind one that somebody else had made.
    const made = (await lines()).filter((line) => !line.includes('fenced'));
    const places = made.map((line) => {
      const [, partition, , position] = line.split(' ');
      return `${partition} ${position}`;
    });
    expect(places).toHaveLength(new Set(places).size);
    // And each event counts once.
    const features = makeFeatureSet(await loadWorkspace(folder));
    for (const layout of await store.layouts()) features.learnLayout(layout);
    for (const userId of users) {
      const [blob] = await store.load(partitionOf(userId, partitions), [`acme:u:${userId}`]);
      expect(features.read(features.decode(blob!), begun)).toMatchObject({
        views: sent.get(userId),
        spent: (sent.get(userId) ?? 0) / 4,
      });
    }
  }, 600_000);
});
