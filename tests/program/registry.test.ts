import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JsonDeserializer, SchemaRegistryClient, SerdeType } from '@confluentinc/schemaregistry';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/kafka/broker.mjs';
import { schemaIdOf } from '../../stream/schemas/index.ts';
import { describeWithKafka, startTestKafka, type TestKafka } from '../support/kafka.ts';
import { type Home, makeHome, presage, root, startProgram, waitFor } from '../support/program.ts';
import { registryIsMissing, startTestRegistry, type TestRegistry } from '../support/registry.ts';

const missing = registryIsMissing();
if (missing !== null) console.warn(`NOT TESTED against a real schema registry: ${missing}.`);
const subject = 'presage.events.v1-small.view';

describeWithKafka('the program with Kafka and a schema registry', () => {
  describe.skipIf(missing !== null)('both real', () => {
    let broker: TestKafka;
    let registry: TestRegistry;
    let home: Home;
    let workspace: string;
    beforeAll(async () => {
      [broker, registry] = await Promise.all([startTestKafka(), startTestRegistry()]);
      home = await makeHome({ KAFKA_BROKERS: broker.address, SCHEMA_REGISTRY_URL: registry.url });
      workspace = join(home.folder, 'workspace');
      await cp(join(root, 'tests', 'workspaces', 'small'), workspace, { recursive: true });
    }, 400_000);
    afterAll(async () => {
      await home?.remove();
      await Promise.all([registry?.stop(), broker?.stop()]);
    });

    it('frames what it is sent, so that any consumer of the topic can read it, and decides on it', async () => {
      const program = await startProgram(home, workspace);
      const file = join(home.folder, 'events.jsonl');
      const events = [
        { id: '1', properties: { sku: 'a', price: 2.5 } },
        { id: '2', properties: { sku: 'b', price: 1, undeclared: true } },
      ].map((event) => ({ ...event, type: 'view', userId: 'ann', time: 1_700_000_000_000 }));
      await writeFile(file, events.map((event) => JSON.stringify(event)).join('\n'));
      const fed = await presage(home, [
        'feed',
        file,
        '--port',
        String(home.port),
        '--tenant',
        'acme',
        '--json',
      ]).finished;
      expect(JSON.parse(fed.out)).toMatchObject({ sent: 2, new: 2, dead: 0 });
      expect(await program.sql('select id, properties from events order by id')).toMatchObject([
        { id: '1' },
        { id: '2' },
      ]);
      expect(
        await program.sql(
          "select JSONExtractFloat(record, 'features', 'spent') as spent from decisions order by spent",
        ),
      ).toEqual([{ spent: 2.5 }, { spent: 3.5 }]);
      await program.stop();

      const values = await consume(broker.address, (found) => found.length >= 2);
      const client = new SchemaRegistryClient({ baseURLs: [registry.url] });
      const deserializer = new JsonDeserializer(client, SerdeType.VALUE, { validate: true });
      const read = await Promise.all(
        values.map((value) => deserializer.deserialize('presage.events.v1', value)),
      );
      expect(read).toMatchObject(events.map(({ id, properties }) => ({ id, properties, tenant: 'acme' })));
      const { id } = await client.getLatestSchemaMetadata(subject);
      expect(schemaIdOf(values[0] as Buffer)).toBe(id);
      expect(schemaIdOf(values[1] as Buffer)).not.toBe(id);
    });

    it('takes the event types of a workspace that is applied, and refuses one as it does at the start', async () => {
      const program = await startProgram(home, workspace);
      const path = join(workspace, 'presage.yaml');
      const text = await readFile(path, 'utf8');
      const here = ['--port', String(home.port), '--json'];
      const withClicks = text.replace('types:\n', 'types:\n  click: { properties: { sku: string } }\n');
      await writeFile(path, withClicks);
      expect(await presage(home, ['apply', ...here]).finished).toMatchObject({ code: 0, err: '' });
      const client = new SchemaRegistryClient({ baseURLs: [registry.url] });
      const { id } = await client.getLatestSchemaMetadata('presage.events.v1-small.click');
      const file = join(home.folder, 'click.jsonl');
      const event = {
        id: 'click',
        type: 'click',
        userId: 'ann',
        time: 1_700_000_000_000,
        properties: { sku: 'a' },
      };
      await writeFile(file, JSON.stringify(event));
      const fed = await presage(home, ['feed', file, '--tenant', 'acme', ...here]).finished;
      expect(JSON.parse(fed.out)).toMatchObject({ new: 1, dead: 0 });
      const isClick = (value: Buffer) => value.includes('"id":"click"');
      const values = await consume(broker.address, (found) => found.some(isClick));
      expect(schemaIdOf(values.find(isClick) as Buffer)).toBe(id);

      await makeBackward('presage.events.v1-small.click');
      await writeFile(
        path,
        withClicks.replace('click: { properties: { sku: string', 'click: { properties: { sku: number'),
      );
      const refused = await presage(home, ['apply', ...here]).finished;
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(/refused the schema registering presage\.events\.v1-small\.click/);
      expect(await program.ask('/api/builds')).toMatchObject({ build: null });
      await writeFile(path, text);
      await program.stop();
    });

    it('does not start with a workspace that the registry refuses, and says why', async () => {
      await makeBackward(subject);
      const path = join(workspace, 'presage.yaml');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace('sku: string', 'sku: number'));
      const checked = await presage(home, ['schemas', 'check', '--registry', '-w', workspace, '-c', 'NONE'])
        .finished;
      expect(checked).toMatchObject({
        code: 1,
        err: expect.stringContaining('small.view: properties.sku: was string or null'),
      });
      const started = await presage(home, startArguments()).finished;
      expect(started.code).toBe(1);
      expect(started.err).toMatch(/refused the schema registering presage\.events\.v1-small\.view/);
      await writeFile(path, text);
    });

    it('does not start while the registry is away, and says so', async () => {
      home.env.SCHEMA_REGISTRY_URL = `http://127.0.0.1:${await freePort()}`;
      const started = await presage(home, startArguments()).finished;
      expect(started.code).toBe(1);
      expect(started.err).toContain(`The schema registry at ${home.env.SCHEMA_REGISTRY_URL} does not answer`);
    });

    async function makeBackward(of: string): Promise<void> {
      const response = await fetch(`${registry.url}/config/${of}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ compatibility: 'BACKWARD' }),
      });
      expect(response.ok).toBe(true);
    }

    const startArguments = () => [
      'start',
      '--no-open',
      '--data',
      home.data,
      '--port',
      String(home.port),
      '--workspace',
      workspace,
    ];
  });
});

async function consume(address: string, isEnough: (found: readonly Buffer[]) => boolean): Promise<Buffer[]> {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: 'reader' });
  const values: Buffer[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: 'presage.events.v1', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      if (message.value !== null) values.push(message.value);
    },
  });
  await waitFor('the events in the topic', () => isEnough(values));
  await consumer.disconnect();
  return values;
}
