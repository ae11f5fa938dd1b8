import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { waitFor } from './program.ts';
import { redisBinary } from './redis.ts';

export interface TestCluster {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

const slots = 16_384;

/** Three masters of a Redis Cluster, each a server of its own on loopback, without replicas. */
export async function startTestCluster(masters = 3): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-test-cluster-'));
  const children: ChildProcess[] = [];
  const admins: Redis[] = [];
  const stop = async (): Promise<void> => {
    for (const admin of admins) admin.disconnect();
    await Promise.all(
      children.map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const ports: number[] = [];
    for (let node = 0; node < masters; node++) {
      const [port, bus] = [await freePort(), await freePort()];
      const own = join(folder, String(node));
      await mkdir(own);
      const settings = {
        port,
        'cluster-port': bus,
        bind: '127.0.0.1',
        dir: own,
        'cluster-enabled': 'yes',
        'cluster-node-timeout': 60_000,
        appendonly: 'yes',
        save: '',
      };
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
      children.push(spawn(redisBinary, args, { stdio: 'ignore' }));
      ports.push(port);
      const admin = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
      admin.on('error', () => {});
      admins.push(admin);
      await waitFor('a node', async () => (await admin.ping()) === 'PONG');
      const first = Math.floor((slots * node) / masters);
      const last = Math.floor((slots * (node + 1)) / masters) - 1;
      await admin.cluster('ADDSLOTSRANGE', first, last);
      if (node > 0) await admins[0]?.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus));
    }
    await waitFor('the cluster', async () => {
      const infos = await Promise.all(admins.map((admin) => admin.cluster('INFO')));
      return infos.every(
        (info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${masters}`),
      );
    });
    return { ports, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
