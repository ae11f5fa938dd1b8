import type { App } from './app.ts';

/**
 * Returns how to close the server: it takes nothing new, lets requests in hand be answered for up to `ms`, and cuts
 * what is left. Fastify's own close would also wait for the sockets that Socket.IO has taken over, which are the push
 * role's to close, after us.
 */
export function closeGracefully(app: App, onError: (error: unknown) => void): (ms: number) => Promise<void> {
  let inHand = 0;
  let onIdle: () => void = () => {};
  app.addHook('onRequest', async (_request, reply) => {
    inHand++;
    reply.raw.once('close', () => {
      inHand--;
      if (inHand === 0) onIdle();
    });
  });

  return async (ms) => {
    // Stops listening at once; its end is not awaited, for the reason above.
    app.close().catch(onError);
    await new Promise<void>((resolve) => {
      if (inHand === 0) return resolve();
      const late = setTimeout(resolve, ms);
      onIdle = () => {
        clearTimeout(late);
        resolve();
      };
    });
    app.server.closeAllConnections();
  };
}
