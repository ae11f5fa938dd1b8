import {
  AvroSerializer,
  JsonDeserializer,
  JsonSerializer,
  SchemaRegistryClient,
  SerdeType,
} from '@confluentinc/schemaregistry';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRegistry, isRefused } from '../../app/schemas/check.ts';
import { toRecord } from '../../gateway/ingest/record.ts';
import { freePort } from '../../scripts/kafka/broker.mjs';
import { makeColumns } from '../../stream/decode/columns.ts';
import { plainDecoder } from '../../stream/decode/plain.ts';
import { type LogRecord, memoryLog } from '../../stream/log/index.ts';
import {
  confluentRegistry,
  framedLog,
  recordDecoder,
  registerSchemas,
  type SchemaRegistry,
  schemaIdOf,
  subjectSchemas,
} from '../../stream/schemas/index.ts';
import { decodeCloser } from '../../stream/steps/decode.ts';
import { eventSchemas, loadWorkspace } from '../../workspace/index.ts';
import { manualClock } from '../support/clock.ts';
import { root } from '../support/program.ts';
import { registryIsMissing, startTestRegistry, type TestRegistry } from '../support/registry.ts';

const missing = registryIsMissing();
if (missing !== null) console.warn(`NOT TESTED against a real schema registry: ${missing}.`);
const naming = { strategy: 'TopicRecordNameStrategy', topic: 'events.v1' } as const;

/** Confluent's own serializers on one side, ours on the other, a real registry between them. */
describe.skipIf(missing !== null)("Confluent's wire format, with a real registry", () => {
  let server: TestRegistry;
  let registry: SchemaRegistry;
  let client: SchemaRegistryClient;
  const clock = manualClock(Date.UTC(2024, 0, 1));
  beforeAll(async () => {
    server = await startTestRegistry();
    registry = confluentRegistry({ url: server.url });
    client = new SchemaRegistryClient({ baseURLs: [server.url] });
  }, 400_000);
  afterAll(() => server?.stop());

  it('what a JSON producer wrote is decoded', async () => {
    const schema = JSON.stringify({
      title: 'Order',
      type: 'object',
      properties: { price: { type: 'number' } },
    });
    await client.register('orders-value', { schemaType: 'JSON', schema });
    const serializer = new JsonSerializer(client, SerdeType.VALUE, { useLatestVersion: true });
    const bytes = await serializer.serialize('orders', { price: 12.5 });
    const decoder = recordDecoder({ registry, clock });
    await decoder.learn(decoder.unlearned([bytes]));
    expect(decoder.decode(bytes)).toMatchObject({
      ok: true,
      value: { price: 12.5 },
      schemaId: schemaIdOf(bytes),
    });
  });

  it('what an Avro producer wrote is decoded', async () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'Sale',
      fields: [
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'note', type: ['null', 'string'] },
      ],
    });
    await client.register('sales-value', { schemaType: 'AVRO', schema });
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true });
    const bytes = await serializer.serialize('sales', { at: 1_700_000_000_000, note: 'x' });
    // The same bytes without the registry, so that the test stands on more than one leg.
    expect(bytes.subarray(5)).toEqual(
      avro.Type.forSchema(JSON.parse(schema)).toBuffer({ at: 1_700_000_000_000, note: 'x' }),
    );
    const decoder = recordDecoder({ registry, clock });
    await decoder.learn(decoder.unlearned([bytes]));
    expect(decoder.decode(bytes)).toMatchObject({ ok: true, value: { at: 1_700_000_000_000, note: 'x' } });
  });

  it('an id that the registry has not is told apart from a registry that is away', async () => {
    const decoder = recordDecoder({ registry, clock });
    await decoder.learn([424_242]);
    expect(decoder.decode(Buffer.from([0, 0, 6, 0x79, 0x32, 0x7b, 0x7d]))).toMatchObject({
      code: 'unknown_schema',
    });
    const away = confluentRegistry({ url: `http://127.0.0.1:${await freePort()}`, retries: 0 });
    await expect(recordDecoder({ registry: away, clock }).learn([1])).rejects.toMatchObject({
      code: 'registry_unavailable',
      retriable: true,
    });
  });

  it("our log's events are framed; the worker reads them, and so does Confluent's deserializer", async () => {
    const workspace = await loadWorkspace(`${root}/examples/shop`);
    const ids = await registerSchemas(registry, workspace, naming);
    expect(await registerSchemas(registry, workspace, naming)).toEqual(ids);
    const bare = memoryLog({ partitions: 1, clock });
    const log = framedLog(bare, ids);
    const type = workspace.types.get('search');
    const event = {
      v: 1 as const,
      id: '1',
      tenant: 'shop',
      type: 'search',
      userId: 'ann',
      time: clock.now(),
      properties: { query: 'hat' },
      source: 'http',
    };
    const undeclared = { ...event, id: '2', properties: { query: 'hat', colour: 'red' } };
    const records = [toRecord(event, 1, type?.schemaHash), toRecord(undeclared, 1)].map(
      (one) => one.ok && one.value,
    );
    await log.append(records.filter((one) => one !== false));
    const unframed = { ...event, id: '3' };
    const last = toRecord(unframed, 1);
    if (last.ok) await bare.append([last.value]);

    let read: LogRecord[] = [];
    const subscription = await log.subscribe({
      group: 'test',
      startAt: async () => 0,
      onAssigned: async (reader) => {
        read = await reader.next(10, 1_000);
      },
      onRevoked: () => {},
    });
    await expect.poll(() => read.length).toBe(3);
    // Read in place, framed or not; the whole event is parsed when it is asked for.
    const plain = plainDecoder(workspace, 0, 1, ['query'], 0);
    const items = read.map((record) => plain.decode(record, makeColumns(1, plain.width), 0));
    expect(items.map((item) => item?.textOf(0))).toEqual(['hat', 'hat', 'hat']);
    expect(items.map((item) => item?.event)).toEqual([event, undeclared, unframed]);
    expect(read.map(decodeCloser(workspace, 0, 1))).toMatchObject(items.map((item) => ({ id: item?.id })));
    await subscription.stop();
    expect(read.map(({ value }) => schemaIdOf(value))).toEqual([
      ids.byHash.get(type?.schemaHash ?? ''),
      ids.anyEvent,
      null,
    ]);
    const deserializer = new JsonDeserializer(client, SerdeType.VALUE, { validate: true });
    for (const { value } of read.slice(0, 2)) {
      expect(await deserializer.deserialize('events.v1', value)).toMatchObject({ type: 'search' });
    }
  });

  it('the check refuses what the registry refuses, with the field and the reason', async () => {
    const source = (price: 'number' | 'string') =>
      subjectSchemas(
        eventSchemas({
          name: 'checked',
          types: { sold: { properties: { price }, required: ['price'], lateness: '1h' } },
        }),
        naming,
      );
    const [sold] = source('number');
    await registry.register(sold?.subject ?? '', JSON.stringify(sold?.schema));
    await registry.setCompatibility(sold?.subject ?? '', 'BACKWARD');
    const fine = await checkRegistry(registry, source('number'), 'BACKWARD');
    expect(fine.map(({ change }) => change)).toEqual(['same', 'same']);
    for (const level of ['BACKWARD', 'NONE'] as const) {
      const refused = await checkRegistry(registry, source('string'), level);
      expect(isRefused(refused)).toBe(true);
      expect(refused[0]).toMatchObject({
        name: 'events.v1-checked.sold',
        change: 'changed',
        problems: [{ path: 'properties.price', reason: 'was number and is now string' }],
      });
    }
  });
});
