import { z } from 'zod';
import { errorAnswer } from '../../schemas/index.ts';
import { instance } from '../auth/access.ts';
import type { Repartition } from '../deps.ts';
import type { App } from '../http/app.ts';

const asked = z.object({ partitions: z.int().describe('how many there are to be') });
const status = z.object({
  partitions: z.int().describe('in force now'),
  running: z
    .object({
      from: z.int(),
      to: z.int(),
      phase: z.enum(['copying', 'switching', 'cleaning', 'cancelling']),
      copied: z.int(),
      keys: z.int(),
      trouble: z.string().nullable(),
    })
    .nullable(),
  last: z
    .object({
      from: z.int(),
      to: z.int(),
      seconds: z.number(),
      heldMs: z.number().describe('how long producers waited'),
      topicLeft: z.string().nullable(),
    })
    .nullable(),
});

const config = { access: instance };
const response = { 200: status, '4xx': errorAnswer, 503: errorAnswer };

/** POST, DELETE and GET /api/repartition: what `presage repartition` asks for. */
export function repartitionRoutes(app: App, repartition: Repartition): void {
  app.post(
    '/api/repartition',
    {
      config,
      schema: {
        tags: ['operations'],
        summary: 'Change the number of partitions while they serve (operator)',
        body: asked,
        response,
      },
    },
    async (request, reply) => reply.send(await repartition.begin(request.body)),
  );
  app.delete(
    '/api/repartition',
    {
      config,
      schema: { tags: ['operations'], summary: 'Leave the partitions as they are (operator)', response },
    },
    async (_request, reply) => reply.send(await repartition.cancel()),
  );
  app.get(
    '/api/repartition',
    { config, schema: { tags: ['operations'], summary: 'How far that is (operator)', response } },
    async (_request, reply) => reply.send(await repartition.status()),
  );
}
