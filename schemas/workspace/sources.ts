import { z } from 'zod';
import { description, name } from './parts.ts';

const sourcePath = (text: string) => z.string().min(1).max(256).optional().describe(text);

export const source = z.strictObject({
  description,
  topic: z.string().min(1).max(249).describe('The Kafka topic it reads.'),
  tenant: name.describe('The tenant its events belong to.'),
  format: z
    .enum(['json', 'confluent-json', 'confluent-avro'])
    .default('json')
    .describe(
      'Of the values: plain JSON, or framed by a Confluent-compatible schema registry (JSON Schema or Avro). Default json.',
    ),
  from: z
    .enum(['earliest', 'latest'])
    .default('earliest')
    .describe('Where a source that never read begins. Default earliest.'),
  keyed: z
    .boolean()
    .default(false)
    .describe(
      "The topic has our log's partitions and is keyed by user or anonymous id with Kafka's own partitioner: each record keeps its partition, and one that stands elsewhere is refused. Default false.",
    ),
  type: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('The event type of every record. Without it, map.type is read.'),
  map: z
    .strictObject({
      id: sourcePath('Event id. Default id, else messageId, else topic/partition/offset.'),
      type: sourcePath('Event type. Default type, else event.'),
      user: sourcePath('User id. Default userId.'),
      anonymous: sourcePath('Anonymous id. Default anonymousId.'),
      session: sourcePath('Session id. Default none.'),
      time: sourcePath(
        "Event time: Unix milliseconds or ISO 8601. Default time, else timestamp, else the record's own time.",
      ),
      properties: sourcePath('An object. Default properties; where there is none, the whole value.'),
    })
    .prefault({})
    .describe(
      "Where the parts of an event stand in a value: paths such as order.customer_id, or $key, the record's key.",
    ),
});

export type SourceDefinition = z.infer<typeof source>;
