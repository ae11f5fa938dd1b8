import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import avro from 'avsc';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import { describeWithKafka, startTestKafka, type TestKafka } from '../support/kafka.ts';
import { type Home, makeHome, type Program, presage, startProgram, waitFor } from '../support/program.ts';
import { startTestRegistry, type TestRegistry } from '../support/registry.ts';

const workspace = `version: 1
name: sources
tenants: { acme: {} }
types:
  order: { properties: { total: number } }
features:
  orders: { kind: count, of: order, window: 30d }
sources:
  plain: { topic: plain, tenant: acme, type: order, map: { user: customer, time: at, id: order_id } }
  avro: { topic: avro, tenant: acme, format: confluent-avro, type: order, map: { user: customer, time: at } }
  missing: { topic: not_there, tenant: acme, type: order }
  keyed: { topic: keyed, tenant: acme, type: order, keyed: true, map: { user: $key, time: at } }
`;
const schema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'total', type: 'double' },
  ],
};
const start = 1_760_000_000_000;

describeWithKafka('topics of your own as sources', () => {
  let broker: TestKafka;
  let registry: TestRegistry;
  let schemaId: number;
  let producer: Producer;
  let home: Home;
  let folder: string;
  beforeAll(async () => {
    [broker, registry] = await Promise.all([startTestKafka(), startTestRegistry()]);
    const registered = await fetch(`${registry.url}/subjects/avro-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
    schemaId = ((await registered.json()) as { id: number }).id;
    const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [
        { topic: 'plain', numPartitions: 3 },
        { topic: 'avro', numPartitions: 1 },
        { topic: 'keyed', numPartitions: 4 },
      ],
      waitForLeaders: true,
    });
    await admin.disconnect();
    producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    home = await makeHome({ KAFKA_BROKERS: broker.address, SCHEMA_REGISTRY_URL: registry.url });
    folder = join(home.folder, 'workspace');
    await mkdir(folder);
    await writeFile(join(folder, 'presage.yaml'), workspace);
  });
  afterAll(async () => {
    await producer?.disconnect();
    await registry?.stop();
    await broker?.stop();
    await home?.remove();
  });

  const countOf = async (program: Program, query: string): Promise<number> =>
    Number((await program.sql<{ n: string }>(`select count() as n from ${query}`))[0]?.n);

  it('become events exactly once, and every bad record a dead letter, through kills in the middle', async () => {
    const total = 3_000;
    const sendAll = async (): Promise<void> => {
      for (let from = 0; from < total; from += 100) {
        const plain = Array.from({ length: 100 }, (_, i) => {
          const n = from + i;
          const bad = n % 50 === 0;
          return {
            value: bad
              ? `{"customer": "u${n}" broken`
              : JSON.stringify({ order_id: `o${n}`, customer: `u${n % 40}`, at: start + n, total: n / 4 }),
          };
        });
        await producer.send({ topic: 'plain', messages: plain });
      }
    };
    let program = await startProgram(home, folder, ['--no-simulate']);
    const sending = sendAll();
    for (const share of [0.2, 0.6]) {
      await waitFor('some of it', async () => (await countOf(program, 'events')) > total * share);
      await program.kill();
      program = await startProgram(home, folder, ['--no-simulate']);
    }
    // Topic not_there keeps nothing from starting, but is told.
    const ready = await fetch(`${program.address}/readyz`);
    expect({ status: ready.status, body: await ready.json() }).toMatchObject({
      status: 200,
      body: {
        sources: expect.arrayContaining([
          {
            name: 'source missing',
            state: 'degraded',
            why: expect.stringContaining('no topic not_there'),
          },
        ]),
      },
    });
    await sending;
    const good = total - total / 50;
    await waitFor('all of it', async () => (await countOf(program, 'events')) === good);
    await waitFor('the bad ones', async () => (await countOf(program, 'dead_letters')) === total / 50);
    // Nothing comes twice afterwards either: all repeats are recognised by then.
    const ids = await countOf(program, '(select distinct id from events)');
    expect(ids).toBe(good);
    const [letter] = await program.sql<{ code: string; message: string; bytes: string; source: string }>(
      'select code, message, bytes, source from dead_letters limit 1',
    );
    expect(letter).toMatchObject({ code: 'not_json', source: 'source:plain' });
    expect(letter?.message).toMatch(/^plain\[\d\]@\d+: /);
    expect(Buffer.from(letter?.bytes ?? '', 'base64').toString()).toMatch(/^\{"customer": "u\d+" broken$/);
    await program.stop();
  });

  it("are never the log's own topic: each record would come back as another, for ever", async () => {
    const own = join(home.folder, 'own');
    await mkdir(own);
    await writeFile(join(own, 'presage.yaml'), workspace.replace('topic: plain', 'topic: presage.events.v1'));
    const start = presage(home, ['start', '--no-open', '--port', '0', '--workspace', own]);
    const { err, code } = await start.finished;
    expect(err).toContain('sources.plain.topic: presage.events.v1 is where Presage keeps its own log');
    expect(code).toBe(2);
  });

  it('are read in Avro with a registry, and keep their partition where they are declared as keyed', async () => {
    const framed = (id: number, value: Buffer): Buffer =>
      Buffer.concat([Buffer.from([0, 0, 0, 0, id]), value]);
    const order = (n: number): Buffer =>
      avro.Type.forSchema(schema as never).toBuffer({ customer: `u${n}`, at: start + n, total: n });
    const messages = Array.from({ length: 20 }, (_, n) => ({ value: framed(schemaId, order(n)) }));
    await producer.send({
      topic: 'avro',
      messages: [
        ...messages,
        { value: framed(schemaId + 1_000, order(1)) },
        { value: framed(schemaId, Buffer.from([2])) },
      ],
    });
    const right = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const value = (n: number): string => JSON.stringify({ at: start + n, total: n });
    await producer.send({
      topic: 'keyed',
      messages: [
        ...right.map((key, n) => ({ key, partition: partitionOf(key, 4), value: value(n) })),
        { key: 'stray', partition: (partitionOf('stray', 4) + 1) % 4, value: value(1) },
      ],
    });
    const program = await startProgram(home, folder, ['--no-simulate']);
    await waitFor(
      'both topics',
      async () => (await countOf(program, "events where source = 'source:avro'")) === 20,
    );
    await waitFor(
      'both topics',
      async () => (await countOf(program, "events where source = 'source:keyed'")) === 20,
    );
    const letters = await waitFor('the bad ones', async () => {
      const rows = await program.sql<{ code: string }>(
        "select code from dead_letters where source != 'source:plain' order by code",
      );
      return rows.length === 3 ? rows : null;
    });
    expect(letters.map(({ code }) => code)).toEqual(['invalid_value', 'unknown_schema', 'wrong_partition']);
    // Their topic would have another number of partitions than the log.
    const refused = await presage(home, ['repartition', '--partitions', '5', '--port', String(home.port)])
      .finished;
    expect([refused.code === 0, refused.err]).toEqual([
      false,
      expect.stringContaining('take that off keyed'),
    ]);
    await program.stop();
  });
});
