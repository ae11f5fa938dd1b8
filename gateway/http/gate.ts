import type { FastifyRequest } from 'fastify';
import type { Gate } from '../../core/index.ts';
import type { App } from './app.ts';

/** What uses the partitions of log or state. All else is answered whatever becomes of them. */
const throughTheGate = /^\/(v1|api\/(subjects|feed|actions|builds|reviews|demo\/reset))(\/|$)/;

/** Requests pass the gate when they have been checked and read, and leave it when they have been answered. */
export function passGate(app: App, gate: Pick<Gate, 'enter'>): void {
  const inside = new WeakMap<FastifyRequest, () => void>();
  app.addHook('preHandler', async (request, reply) => {
    if (!throughTheGate.test(request.routeOptions.url ?? '')) return;
    const leave = await gate.enter();
    inside.set(request, leave);
    // A connection that is gone may have no answer.
    reply.raw.once('close', leave);
  });
  app.addHook('onResponse', async (request) => inside.get(request)?.());
}
