import { z } from 'zod';
import { errorAnswer } from '../../schemas/index.ts';
import { instance } from '../auth/access.ts';
import type { Builds } from '../deps.ts';
import type { App } from '../http/app.ts';

const kind = z.enum(['features', 'rebuild']);
const from = z.enum(['events', 'log']);
const asked = z.object({
  kind,
  partition: z.int().nonnegative().nullable().default(null).describe('null: all of them'),
  from: from.default('events').describe('the event table and then the log, or the log alone'),
  dryRun: z.boolean().default(false),
});
const begun = z.object({
  begun: z.boolean(),
  changes: z.object({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    isOther: z.boolean(),
    isStateSame: z.boolean().describe('only models are others: nothing is built'),
  }),
});
const status = z.object({
  build: z
    .object({
      generation: z.int(),
      kind: z.enum([...kind.options, 'workspace']),
      from,
      partitions: z.array(
        z.object({
          partition: z.int(),
          phase: z.enum(['events', 'log', 'in force']),
          position: z.int(),
          end: z.int(),
          trouble: z.string().nullable(),
        }),
      ),
    })
    .nullable(),
  last: z.object({ generation: z.int(), kind: z.string(), seconds: z.number() }).nullable(),
});

const config = { access: instance };

/** POST and GET /api/builds: what `presage apply` and `presage rebuild` ask for. */
export function buildRoutes(app: App, builds: Builds): void {
  app.post(
    '/api/builds',
    {
      config,
      schema: {
        tags: ['operations'],
        summary: 'Make state anew while the one in force serves (operator)',
        body: asked,
        response: { 200: begun, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request, reply) => reply.send((await builds.begin(request.body)) as never),
  );
  app.get(
    '/api/builds',
    {
      config,
      schema: {
        tags: ['operations'],
        summary: 'How far that is (operator)',
        response: { 200: status, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (_request, reply) => reply.send((await builds.status()) as never),
  );
}
