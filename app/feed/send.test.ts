import { expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import type { IngestFeedAnswer } from '../../schemas/api.ts';
import type { InstanceClient } from '../instance/client.ts';
import type { PlannedEvent } from './plan.ts';
import { sendEvents } from './send.ts';

const event = (row: number, text = 'fine'): PlannedEvent => ({
  row,
  event: { id: `e${row}`, type: 'view', userId: 'u', time: 1_700_000_000_000, properties: { text } },
});

/** Sends these to an instance that takes them one after the other, or says why not. */
async function sent(events: readonly PlannedEvent[], refusal: (body: string) => PresageError | null) {
  const taken: string[] = [];
  const sizes: number[] = [];
  const client: Pick<InstanceClient, 'post'> = {
    post: async <T>(_path: string, body: unknown): Promise<T> => {
      const text = JSON.stringify(body);
      sizes.push(Buffer.byteLength(text));
      const refused = refusal(text);
      if (refused !== null) throw refused;
      const { events } = body as { events: { id: string }[] };
      taken.push(...events.map(({ id }) => id));
      const answer: IngestFeedAnswer = {
        accepted: events.length,
        rejected: [],
        offsets: { 0: taken.length - 1 },
      };
      return answer as T;
    },
  };
  const progress = await sendEvents(
    {
      async *from(first) {
        yield* events.slice(first);
      },
    },
    { run: 'r', sent: 0, finished: false, rejected: [], rejectedCount: 0, offsets: {} },
    {
      tenant: 'acme',
      source: 'feed:r',
      rate: null,
      signal: new AbortController().signal,
      connect: async () => client as InstanceClient,
      onProgress: async () => {},
      pause: async () => {},
      now: () => 0,
      patienceMs: 1_000,
    },
  );
  return { progress, taken, sizes };
}

it('rejects the one event for which a whole call is refused, and sends the others in order', async () => {
  const events = Array.from({ length: 100 }, (_, i) => event(i, i === 7 || i === 63 ? 'poison' : 'fine'));
  const { progress, taken } = await sent(events, (body) =>
    body.includes('poison') ? new PresageError('malformed_json', 'It has a key that is not taken.') : null,
  );
  expect(taken).toEqual(events.filter(({ row }) => row !== 7 && row !== 63).map(({ event }) => event.id));
  expect(progress).toMatchObject({
    sent: 100,
    rejectedCount: 2,
    offsets: { 0: 97 },
    rejected: [
      { row: 7, code: 'malformed_json', message: 'It has a key that is not taken.' },
      { row: 63, code: 'malformed_json' },
    ],
  });
});

it('keeps calls within what the instance takes, whatever the letters', async () => {
  const events = Array.from({ length: 400 }, (_, i) => event(i, '靴'.repeat(9_000)));
  const { progress, sizes } = await sent(events, () => null);
  expect(progress.sent).toBe(400);
  expect(Math.max(...sizes)).toBeLessThan(4 * 1024 * 1024);
});

it('gives up on what no event is the reason of', async () => {
  const refused = new PresageError('unknown_tenant', 'There is no such tenant.');
  await expect(sent([event(0), event(1)], () => refused)).rejects.toThrow(refused);
});
