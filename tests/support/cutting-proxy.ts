import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What happens to the next data from a client that contains the marker:
 * - `lose the request`: the connection ends, and the server never sees it
 * - `lose the reply`: the server executes it, then the connection ends without the answer
 * - `swallow the reply`: the server executes it, and nothing comes back on a connection that stays open
 * - `delay the request`: the connection ends; the server gets the request when `releaseDelayed` is called
 */
export type Cut = 'lose the request' | 'lose the reply' | 'swallow the reply' | 'delay the request';

export interface CuttingProxy {
  /** A unix socket that forwards to the server. */
  readonly url: string;
  /** Cuts the next `times` requests that contain `marker`. */
  cut(how: Cut, marker?: string, times?: number): void;
  /** How many requests were cut so far. */
  readonly cuts: number;
  /** Lets the server execute what was delayed; resolves when it has answered. */
  releaseDelayed(): Promise<void>;
  stop(): Promise<void>;
}

/** A network between a client and a server on unix sockets that fails where a test wants it to. */
export async function cuttingProxy(server: string): Promise<CuttingProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-proxy-'));
  const sockets = new Set<Socket>();
  const delayed: Buffer[] = [];
  let plan: { how: Cut; marker: string; times: number } | null = null;
  let cuts = 0;

  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };

  const listener = createServer((client) => {
    const upstream = track(createConnection({ path: server }));
    track(client);
    let isCut: Cut | null = null;
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (data) => {
      if (plan !== null && plan.times > 0 && data.includes(plan.marker)) {
        plan.times -= 1;
        cuts += 1;
        isCut = plan.how;
        if (isCut === 'delay the request') delayed.push(Buffer.from(data));
        if (isCut === 'delay the request' || isCut === 'lose the request') {
          client.destroy();
          return;
        }
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (isCut === 'lose the reply') client.destroy();
      else if (isCut === null) client.write(data);
    });
  });
  const url = join(folder, 'proxy.sock');
  await new Promise<void>((resolve) => listener.listen(url, resolve));

  return {
    url,
    cut(how, marker = 'fcall', times = 1) {
      plan = { how, marker, times };
    },
    get cuts() {
      return cuts;
    },
    async releaseDelayed() {
      for (const request of delayed.splice(0)) {
        const socket = createConnection({ path: server });
        socket.write(request);
        await new Promise((resolve) => socket.once('data', resolve));
        socket.destroy();
      }
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
