import type { LiveMessage } from '../../schemas/index.ts';
import { instance } from '../auth/access.ts';
import type { App } from '../http/app.ts';
import { securityHeaders } from '../http/headers.ts';
import { limits } from '../limits.ts';
import type { LiveView } from '../live/view.ts';

const heartbeatMs = 15_000;

/** GET /api/live: what happens now, as server-sent events. Returns how to end all open streams. */
export function liveRoute(app: App, live: LiveView): () => void {
  const open = new Set<() => void>();

  app.get(
    '/api/live',
    {
      config: { access: instance },
      schema: { tags: ['console'], summary: 'What happens now (server-sent events, at most 30 a second)' },
    },
    async (request, reply) => {
      let missed = 0;
      const { raw } = reply;
      const write = (message: LiveMessage): void => {
        // A watcher that reads slowly misses messages; it must not make us keep them for it.
        if (raw.writableLength > limits.liveBufferBytes) {
          missed += message.kind === 'skipped' ? message.count : 1;
          return;
        }
        if (missed > 0) {
          raw.write(`data: ${JSON.stringify({ kind: 'skipped', count: missed } satisfies LiveMessage)}\n\n`);
          missed = 0;
        }
        raw.write(`data: ${JSON.stringify(message)}\n\n`);
      };
      // Gone while its cookie was being looked at: it has closed for the last time, so nothing would end its watch.
      if (request.raw.socket.destroyed) return reply.hijack();
      const leave = live.listen(write);
      reply.hijack();
      raw.writeHead(200, {
        ...securityHeaders,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Proxies would collect the stream before passing it on.
        'x-accel-buffering': 'no',
        'x-request-id': request.id,
      });
      raw.write('retry: 2000\n\n');
      const heartbeat = setInterval(() => raw.write(': still here\n\n'), heartbeatMs);
      const end = (): void => {
        clearInterval(heartbeat);
        leave();
        open.delete(end);
        raw.end();
      };
      open.add(end);
      raw.once('close', end);
      return reply;
    },
  );
  return () => {
    for (const end of [...open]) end();
  };
}
