import { expect, it } from 'vitest';
import { describeWithKafka } from '../../support/kafka.ts';
import { waitFor } from '../../support/program.ts';
import { seededRandom } from '../../support/trivago.ts';
import { expectSame, isFull } from './compare.ts';
import { cutTail, watchSize, wipe } from './redis-aof.ts';
import { report } from './report.ts';
import type { Rig } from './rig.ts';
import { withStage } from './stage.ts';

const events = { count: isFull ? 100_000 : 20_000 };
const rewinds = isFull ? 20 : 4;

describeWithKafka('A Redis that loses its last writes (everysec, Kafka log)', () => {
  const stage = withStage(4, events);
  const sumOf = async ({ store }: Rig): Promise<number> => {
    const heads = await Promise.all([0, 1, 2, 3].map((partition) => store.head(partition)));
    return heads.reduce((sum, { position }) => sum + position, 0);
  };

  it('and once all of them, leaves state and decisions as if nothing had happened', async () => {
    const { fresh, calm } = stage();
    const rig = await fresh({ fsync: 'everysec', batchRecords: Math.ceil(events.count / 1_000) });
    const random = seededRandom(5);
    const worker = rig.start({ untilDone: false });
    let wentBack = 0;
    for (let rewind = 1; rewind <= rewinds; rewind++) {
      const goal = (events.count * rewind) / (rewinds + 3);
      await waitFor('the worker to get further', async () => (await sumOf(rig)) >= goal, 120_000);
      const size = watchSize(rig.redis.folder);
      const lostMs = 100 + random() * 1_900;
      await waitFor('enough to lose', () => size.watchedMs() > lostMs);
      const before = await sumOf(rig);
      await rig.redis.kill();
      await cutTail(rig.redis.folder, size.at(lostMs));
      size.stop();
      await rig.redis.restart();
      if ((await sumOf(rig)) < before) wentBack++;
    }
    await rig.untilCaughtUp();
    // All is lost while the log is quiet: no event comes that would be refused.
    await rig.redis.kill();
    await wipe(rig.redis.folder);
    await rig.redis.restart();
    await rig.untilCaughtUp();
    worker.process.kill('SIGTERM');
    const { how, output } = await worker.ended;
    expect(how).toBe('exit 0');
    expect(wentBack).toBeGreaterThan(rewinds / 2);
    const rough = await rig.outcome();
    expect(rough.rolledBack).toBeGreaterThan(0);
    expect(output).toContain('began anew');
    report('Redis loses its last 0.1 to 2 s (everysec), once everything', {
      events: events.count,
      rewinds,
      'positions seen to go back': wentBack,
      'entries read that were rolled back': rough.rolledBack,
    });
    expectSame(rough, await calm());
  }, 900_000);
});
