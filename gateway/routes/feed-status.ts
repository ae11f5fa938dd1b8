import { z } from 'zod';
import { errorAnswer } from '../../schemas/index.ts';
import { instance } from '../auth/access.ts';
import type { FeedStatusReader } from '../deps.ts';
import type { App } from '../http/app.ts';

const answer = z.object({
  passed: z.boolean().describe('Worker and sink are past every offset asked about.'),
  totals: z
    .object({ new: z.int(), duplicate: z.int(), dead: z.int(), again: z.int(), late: z.int() })
    .nullable()
    .describe('What became of the events; null until passed.'),
});

/** GET /api/feed/:run: what `presage feed` waits for. `offsets` is `partition:offset,...`, the last ones it wrote. */
export function feedStatusRoute(app: App, feedStatus: FeedStatusReader): void {
  app.get(
    '/api/feed/:run',
    {
      config: { access: instance },
      schema: {
        tags: ['ingest'],
        summary: 'What became of the events of a feed (operator)',
        params: z.object({ run: z.string().min(1).max(128) }),
        querystring: z.object({
          offsets: z
            .string()
            .max(8_192)
            .regex(/^(\d+:\d+(,\d+:\d+)*)?$/, 'partition:offset,...')
            .default(''),
        }),
        response: { 200: answer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request) => feedStatus(request.params.run, offsetsOf(request.query.offsets)),
  );
}

function offsetsOf(text: string): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const pair of text === '' ? [] : text.split(',')) {
    const [partition, offset] = pair.split(':');
    offsets.set(Number(partition), Number(offset));
  }
  return offsets;
}
