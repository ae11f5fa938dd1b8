import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RepartitionStatus } from '../../gateway/index.ts';
import { describeWithKafka, startTestKafka, type TestKafka } from '../support/kafka.ts';
import { countsOf, outcomeOf, partitionsLog, partitionsReference } from '../support/partitions.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';
import { wholeLoop } from './loop.contract.ts';

const small = join(root, 'tests', 'workspaces', 'small');

describeWithKafka('the program with Kafka as its log', () => {
  let broker: TestKafka;
  let count = 0;
  beforeAll(async () => {
    broker = await startTestKafka();
  });
  afterAll(() => broker?.stop());
  const onKafka = (): NodeJS.ProcessEnv => ({
    KAFKA_BROKERS: broker.address,
    KAFKA_TOPIC_PREFIX: `program${count++}.`,
  });

  async function withProgram<T>(
    env: NodeJS.ProcessEnv,
    use: (program: Program, home: Home) => Promise<T>,
  ): Promise<T> {
    const home = await makeHome(env);
    try {
      const program = await startProgram(home, small);
      try {
        return await use(program, home);
      } finally {
        await program.stop();
      }
    } finally {
      await home.remove();
    }
  }

  async function feed(home: Home): Promise<Record<string, number>> {
    const file = join(home.folder, 'events.jsonl');
    const lines = Array.from({ length: 400 }, (_, i) =>
      JSON.stringify({
        // Some twice.
        id: `e${i % 390}`,
        type: 'view',
        userId: `u${(i % 390) % 23}`,
        time: 1_700_000_000_000 + (i % 390) * 20_000,
        properties: { sku: `s${i % 5}`, price: (i % 40) / 4 },
      }),
    );
    await writeFile(file, lines.join('\n'));
    const args = ['--port', String(home.port), '--data', home.data, '--tenant', 'acme', '--json'];
    const { out, err } = await presage(home, ['feed', file, ...args]).finished;
    if (out === '') throw new Error(err);
    return JSON.parse(out) as Record<string, number>;
  }

  const decisionsOf = (program: Program) =>
    program.sql(
      "select id, tenant, subject, placement, action, mode, available, JSONExtractRaw(record, 'features') as features from decisions order by id",
    );
  const totalsOf = ({ sent, new: fresh, duplicate, dead, rejected, late }: Record<string, number>) => ({
    sent,
    fresh,
    duplicate,
    dead,
    rejected,
    late,
  });

  it('counts and decides as with Redis Streams', async () => {
    const run = async (program: Program, home: Home) => {
      const totals = totalsOf(await feed(home));
      const [events] = await program.sql<{ n: string }>('select count() as n from events');
      return { totals, events: Number(events?.n), decisions: await decisionsOf(program) };
    };
    const kafka = await withProgram(onKafka(), run);
    const redis = await withProgram({}, run);
    expect(kafka.totals).toMatchObject({ sent: 400, fresh: 390, duplicate: 10 });
    expect(kafka.decisions.length).toBeGreaterThan(50);
    expect(kafka).toEqual(redis);
  });

  it('goes on with all data after a kill of the program, and after a kill of the broker', async () => {
    const home = await makeHome(onKafka());
    try {
      const first = await startProgram(home, small);
      expect(totalsOf(await feed(home))).toMatchObject({ fresh: 390 });
      await first.kill();
      const program = await startProgram(home, small);
      expect(totalsOf(await feed(home))).toMatchObject({ fresh: 0, duplicate: 400 });

      await broker.kill();
      await waitFor(
        'trouble to be told',
        async () => (await fetch(`${program.address}/readyz`)).status === 503,
      );
      await broker.restart();
      await waitFor('all to be well', async () => (await fetch(`${program.address}/readyz`)).ok);
      expect(totalsOf(await feed(home))).toMatchObject({ fresh: 0, duplicate: 400 });
      await program.stop();
    } finally {
      await home.remove();
    }
  });

  it('counts what all subjects share, through a kill of the program', async () => {
    const home = await makeHome(onKafka());
    const shared = join(root, 'tests', 'workspaces', 'shared');
    const eventOf = (id: string, type: string, user: number, seconds: number) => ({
      id,
      type,
      userId: `u${user}`,
      time: 1_700_000_000_000 + seconds * 1_000,
      properties: type === 'view' ? { item: 'lamp', price: (seconds % 40) / 4 } : { item: 'lamp' },
    });
    const send = (program: Program, events: readonly object[]) =>
      program.ask('/v1/ingest', { tenant: 'acme', source: 'feed:test', events });
    // Of all partitions, a third of them clicks, every tenth twice.
    const each = Array.from({ length: 270 }, (_, i) =>
      eventOf(`e${i}`, i % 3 === 2 ? 'click' : 'view', i % 29, i),
    );
    const events = each.flatMap((event, i) => (i % 10 === 0 ? [event, event] : [event]));
    const views = each.filter(({ type }) => type === 'view').length;
    try {
      const first = await startProgram(home, shared);
      await send(first, events.slice(0, 150));
      await first.kill();
      const program = await startProgram(home, shared);
      await send(program, events.slice(100));
      let asked = 0;
      const last = await waitFor('a decision that has read all', async () => {
        await send(program, [eventOf(`last${asked}`, 'click', 1, 1_000 + asked++)]);
        const [row] = await program.sql<{ features: string }>(
          "select JSONExtractRaw(record, 'features') as features from decisions where event_id like 'last%' order by time desc limit 1",
        );
        const features = JSON.parse(row?.features ?? '{}') as Record<string, unknown>;
        return features.all_views === views && features;
      });
      expect(last).toMatchObject({ item_views: { lamp: views } });
      const args = ['--port', String(home.port), '--data', home.data, '--json', '-w', shared];
      const { out, err } = await presage(home, ['features', 'parity', ...args]).finished;
      if (out === '') throw new Error(err);
      const report = JSON.parse(out) as { differences: unknown[]; shared: { snapshots: number } };
      expect(report.differences).toEqual([]);
      expect(report.shared.snapshots).toBeGreaterThan(0);
      await program.stop();
    } finally {
      await home.remove();
    }
  });

  it('goes on in a topic of more partitions, with all that everyone had', async () => {
    const home = await makeHome(onKafka());
    try {
      const program = await startProgram(home, join(root, 'tests', 'workspaces', 'partitions'));
      const log = partitionsLog(1_500);
      const file = join(home.folder, 'log.jsonl');
      await writeFile(file, log.join('\n'));
      const here = ['--port', String(home.port)];
      const feeding = presage(home, ['feed', file, '--order', 'file', '--json', '--rate', '150', ...here]);
      await waitFor('some of it', async () => {
        const [row] = await program.sql<{ n: number }>('SELECT toInt32(count()) AS n FROM events');
        return (row?.n ?? 0) > 200;
      });
      const { code, out, err } = await presage(home, ['repartition', '--partitions', '6', '--json', ...here])
        .finished;
      expect([code, err]).toEqual([0, '']);
      const { last } = JSON.parse(out) as RepartitionStatus;
      expect(last?.topicLeft).toMatch(/^program\d+\.events\.v1$/);
      console.info(`Producers waited ${last?.heldMs} ms while 4 partitions became 6 on Kafka.`);
      const fed = await feeding.finished;
      expect(JSON.parse(fed.out)).toMatchObject({ sent: log.length, dead: 0, rejected: 0 });
      const outcome = await outcomeOf(program);
      expect(outcome.events[0]).toBe(outcome.events[1]);
      const served = countsOf(outcome);
      for (const [subject, counts] of partitionsReference(log))
        expect([subject, served.get(subject)]).toEqual([subject, counts]);
      await program.stop();
      // The next start finds the partitions by itself.
      const again = await startProgram(home, join(root, 'tests', 'workspaces', 'partitions'));
      expect(await again.ask<RepartitionStatus>('/api/repartition')).toMatchObject({ partitions: 6 });
      await again.stop();
    } finally {
      await home.remove();
    }
  });

  it('refuses state that was made from another log', async () => {
    const home = await makeHome({});
    const other = onKafka();
    try {
      await (await startProgram(home, small)).stop();
      const refused = presage({ ...home, env: { ...home.env, ...other } }, [
        'start',
        '--workspace',
        small,
        '--data',
        home.data,
        '--port',
        String(home.port),
        '--no-open',
      ]);
      const { code, err } = await refused.finished;
      expect(err).toMatch(/made from another log: Redis Streams, and now it is Kafka/);
      expect(code).not.toBe(0);
    } finally {
      await home.remove();
    }
  });

  wholeLoop('on Kafka', async () => onKafka());
});
